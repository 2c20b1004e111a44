//! Making the connection, and saying in one line why it cannot be made.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::{Client, ConnectError, ConnectErrorKind, ConnectOptions, Event};
use rand::RngExt as _;

use super::link::Events;
use super::options::{Login, Options};
use super::replies::Replies;
use crate::{Error, Result};

/// A server that does not answer for two or three of these is given up.
const PING: Duration = Duration::from_secs(2);
const CONNECT: Duration = Duration::from_secs(3);
/// Messages that may wait to be written.
const WAITING_OUT: usize = 4096;
/// The oldest server with what is needed here.
const OLDEST: (u32, u32) = (2, 12);

/// The pause before an attempt to connect: spread out, so that a cluster's clients do not come back all at once.
fn pause(attempt: usize) -> Duration {
    if attempt <= 1 {
        return Duration::ZERO;
    }
    let most = 50_u64 << attempt.saturating_sub(2).min(5);
    Duration::from_millis(rand::rng().random_range(50..=most.clamp(51, 2000)))
}

pub(super) async fn connect(
    options: &Options,
    replies: &Arc<Replies>,
    events: &Arc<Events>,
) -> Result<Client> {
    options.check()?;
    // Several TLS implementations may be compiled in; without a choice the first TLS connection would panic.
    let _ = async_nats::rustls::crypto::aws_lc_rs::default_provider().install_default();
    let (servers, login) = options.servers()?;
    let first = std::sync::atomic::AtomicBool::new(true);
    let mut how = ConnectOptions::new()
        .name(&options.name)
        .ping_interval(PING)
        .connection_timeout(CONNECT)
        .client_capacity(WAITING_OUT)
        .subscription_capacity(options.max_waiting.max(1))
        .reconnect_delay_callback(move |attempt| {
            // The attempts of the first connect are not counted from it.
            if first.swap(false, Ordering::Relaxed) {
                Duration::ZERO
            } else {
                pause(attempt)
            }
        })
        .event_callback({
            let (replies, events) = (replies.clone(), events.clone());
            move |event| {
                noted(&event, &replies, &events);
                std::future::ready(())
            }
        });
    how = match login {
        Login::None => how,
        Login::Token(token) => how.token(token),
        Login::User(user, password) => how.user_and_password(user, password),
    };
    if let Some(file) = &options.ca_file {
        how = how.add_root_certificates(file.clone());
    }
    let shown: Vec<String> = servers
        .iter()
        .map(|server| format!("{}:{}", server.host(), server.port()))
        .collect();
    let shown = shown.join(", ");
    let client = how
        .connect(servers)
        .await
        .map_err(|error| explain(&shown, &error))?;
    let version = client.server_info().version;
    if !is_new_enough(&version) {
        let (major, minor) = OLDEST;
        return Err(Error::Setup(format!(
            "the NATS server at {shown} is version {version}, but {major}.{minor} or newer is needed: upgrade it"
        )));
    }
    Ok(client)
}

/// Runs inside the client library's task: notes, and wakes the supervisor.
fn noted(event: &Event, replies: &Replies, events: &Events) {
    match event {
        Event::Disconnected => {
            // Their answers were on the connection.
            replies.fail_all();
            events.disconnected.store(true, Ordering::Release);
        }
        Event::SlowConsumer(_) => {
            metrics::counter!("lingxi_bus_slow_consumers_total").increment(1);
            events.overflowed.store(true, Ordering::Release);
        }
        Event::Connected => {}
        _ => return,
    }
    events.wake.notify_one();
}

fn is_new_enough(version: &str) -> bool {
    let mut numbers = version
        .trim_start_matches('v')
        .split(['.', '-', '+'])
        .map_while(|part| part.parse::<u32>().ok());
    let (Some(major), Some(minor)) = (numbers.next(), numbers.next()) else {
        return false;
    };
    (major, minor) >= OLDEST
}

fn explain(shown: &str, error: &ConnectError) -> Error {
    // The kind alone says little; the cause has the words.
    let cause =
        std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    match error.kind() {
        kind if kind == ConnectErrorKind::Tls || is_tls(error) => Error::Setup(format!(
            "no TLS connection to the NATS server at {shown}: {cause}; nats.ca_file names the certificates to trust"
        )),
        ConnectErrorKind::ServerParse => Error::Setup(format!("nats_url: {cause}")),
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
            Error::Setup(format!(
                "the NATS server at {shown} refuses the login: put the right user:password@ or token@ into nats_url"
            ))
        }
        ConnectErrorKind::TimedOut => Error::Unavailable(format!(
            "the NATS server at {shown} does not answer: is it the right address, and does a firewall let it through?"
        )),
        ConnectErrorKind::Dns => Error::Unavailable(format!(
            "the name in nats_url ({shown}) is not known: {cause}"
        )),
        ConnectErrorKind::Io | ConnectErrorKind::MaxReconnects | ConnectErrorKind::Tls => {
            Error::Unavailable(format!(
                "no NATS server at {shown}: {cause}; start one, or set nats_url"
            ))
        }
    }
}

/// A handshake that fails is told as any other failure to read or write.
fn is_tls(error: &ConnectError) -> bool {
    let source = std::error::Error::source(error);
    let io = source.and_then(|source| source.downcast_ref::<std::io::Error>());
    let inner = io.and_then(std::io::Error::get_ref);
    inner.is_some_and(|inner| inner.is::<async_nats::rustls::Error>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        for version in ["2.12.0", "v2.15.1", "2.100.0-beta.1", "3.0.0", "2.12"] {
            assert!(is_new_enough(version), "{version}");
        }
        for version in ["2.9.25", "2.11.99", "1.12.0", "", "nats"] {
            assert!(!is_new_enough(version), "{version}");
        }
    }

    #[test]
    fn pauses_grow_and_stay_bounded() {
        assert_eq!(pause(1), Duration::ZERO);
        for attempt in 2..100 {
            let pause = pause(attempt).as_millis();
            assert!((50..=2000).contains(&pause), "{attempt}: {pause}");
        }
    }
}
