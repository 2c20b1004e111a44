//! `bench mirror`: a hub that speaks the contract's frames and stores nothing.
//!
//! It shows what the generator itself can do on a machine, since nothing else costs there, and with a [`Flaw`] it shows that
//! the generator's checks can fail. It is no peer: an ACK of it means nothing.

mod hub;

use std::{io, net::SocketAddr, sync::Arc};

use clap::{Args, ValueEnum};
use tokio::{net::TcpListener, task::JoinHandle};

use self::hub::Hub;
use crate::output;

/// What a mirror does wrong to every n-th message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Flaw {
    /// Acknowledges it and does not push it.
    Lose,
    /// Pushes it twice.
    Repeat,
    /// Pushes it behind the next one.
    Swap,
    /// Pushes it and does not acknowledge it.
    Unanswered,
    /// Refuses it, which is no fault of the order.
    Refuse,
    /// Closes the sender's socket.
    Close,
}

/// Where to listen, and what to do wrong.
#[derive(Args, Debug, Clone)]
pub struct Options {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1:8090")]
    pub listen: SocketAddr,
    /// What to do wrong
    #[arg(long)]
    pub flaw: Option<Flaw>,
    /// To every which message
    #[arg(long, default_value_t = 100)]
    pub every: u64,
}

/// A running mirror, stopped when dropped.
#[derive(Debug)]
pub struct Mirror {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Mirror {
    /// Serves on `listener`, with a flaw for every `every`th message.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn start_on(listener: TcpListener, flaw: Option<Flaw>, every: u64) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let router = hub::router(Arc::new(Hub::new(flaw, every)));
        let task = tokio::spawn(async move {
            drop(
                axum::serve(
                    axum::serve::ListenerExt::tap_io(listener, |tcp| drop(tcp.set_nodelay(true))),
                    router,
                )
                .await,
            );
        });
        Ok(Self { address, task })
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Runs the subcommand until it is interrupted.
///
/// # Errors
/// When the address cannot be bound.
pub async fn command(options: &Options) -> anyhow::Result<bool> {
    let listener = TcpListener::bind(options.listen).await?;
    let mirror = Mirror::start_on(listener, options.flaw, options.every.max(1))?;
    output::line(&format!("mirror at {}", mirror.url()));
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use super::{Flaw, Mirror};
    use crate::chat::{self, Counts};
    use clap::Parser as _;
    use tokio::net::TcpListener;

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        load: chat::Options,
    }

    /// The load that a short test run puts on a mirror; whether the run was clean, and what it counted.
    async fn load(flaw: Option<Flaw>, more: &[&str]) -> (bool, Counts) {
        let mirror =
            Mirror::start_on(TcpListener::bind("127.0.0.1:0").await.unwrap(), flaw, 50).unwrap();
        let url = mirror.url();
        let brief = [
            "bench",
            "--quiet",
            "--url",
            &url,
            "--pairs",
            "2",
            "--duration",
            "0.3",
        ];
        let rest = ["--warmup", "0.1", "--drain", "1"];
        let arguments = brief.iter().chain(&rest).chain(more);
        let report = chat::run(&Cli::parse_from(arguments).load).await.unwrap();
        (report.clean(), report.counts)
    }

    #[tokio::test]
    async fn a_faithful_server_is_clean() {
        for pace in [&["--window", "4"][..], &["--rate", "500"]] {
            let (clean, counts) = load(None, pace).await;
            assert!(clean, "{counts:?}");
            assert!(
                counts.sent > 100 && counts.received == counts.sent && counts.echoed == counts.sent,
                "{counts:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_lost_message_is_seen() {
        let (clean, counts) = load(Some(Flaw::Lose), &[]).await;
        assert!(!clean && counts.lost > 0 && counts.holes > 0, "{counts:?}");
        assert_eq!((counts.repeated, counts.unanswered), (0, 0));
    }

    #[tokio::test]
    async fn a_repeated_message_is_seen() {
        let (clean, counts) = load(Some(Flaw::Repeat), &[]).await;
        assert!(!clean && counts.repeated > 0, "{counts:?}");
        assert_eq!((counts.lost, counts.out_of_order, counts.holes), (0, 0, 0));
    }

    #[tokio::test]
    async fn a_swap_is_seen() {
        let (clean, counts) = load(Some(Flaw::Swap), &[]).await;
        assert!(!clean && counts.out_of_order > 0, "{counts:?}");
        assert_eq!(counts.repeated, 0);
    }

    #[tokio::test]
    async fn a_missing_ack_is_seen() {
        let (clean, counts) = load(Some(Flaw::Unanswered), &[]).await;
        assert!(
            !clean && counts.unanswered > 0 && counts.lost == 0,
            "{counts:?}"
        );
    }

    #[tokio::test]
    async fn a_refusal_is_counted_and_breaks_nothing() {
        let (clean, counts) = load(Some(Flaw::Refuse), &[]).await;
        assert!(clean && counts.failed["rate_limited"] > 0, "{counts:?}");
    }

    #[tokio::test]
    async fn a_closed_socket_is_seen() {
        let (clean, counts) = load(Some(Flaw::Close), &[]).await;
        assert!(
            !clean && counts.closed["closed with 4008"] > 0,
            "{counts:?}"
        );
    }
}
