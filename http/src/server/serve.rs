//! Accepting connections.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::response::IntoResponse as _;
use axum::serve::Listener;
use lingxi_domain::ErrorCode;
use lingxi_runtime::budget::Budget;
use lingxi_runtime::shutdown::Tasks;
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use super::activity::Timeouts;
use super::connection;
use super::places::{Full, Places};
use super::stream::Stream;
use crate::{ApiError, Options};

/// How often deadlines are looked at.
const CHECK: Duration = Duration::from_millis(500);
/// How long requests may take once the server stops.
const GRACE: Duration = Duration::from_secs(2);

/// Serves `app` on `listener` over HTTP/1.1 until `stop`; then finishes what is being worked on, for at most two
/// seconds. Each connection is one of `connections`, and counted: [`Options`] says how many there may be and how long they
/// may take for what. WebSockets count too, and are not ended by `stop`.
pub async fn serve<L>(
    mut listener: L,
    app: Router,
    options: Options,
    budget: Budget,
    stop: CancellationToken,
    connections: Tasks,
) where
    L: Listener<Io = TcpStream, Addr = SocketAddr>,
{
    let places = Places::new(&options, budget);
    let timeouts = Timeouts {
        header: options.header_timeout,
        idle: options.idle_timeout,
    };
    tracing::debug!(most = places.most(), "places for connections");
    let cut = CancellationToken::new();
    let mut check = interval(CHECK);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let (stream, peer) = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            _ = check.tick() => {
                let open = u32::try_from(places.check(timeouts)).unwrap_or(u32::MAX);
                metrics::gauge!("http_connections", "port" => options.name).set(open);
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        let place = match places.take(peer.ip()) {
            Ok(place) => place,
            Err(full) => {
                turn_away(&stream, full, options.name);
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps Nagle's delay");
        }
        let stream = Stream::new(stream, place);
        connections.spawn(connection::serve(
            stream,
            peer,
            app.clone(),
            stop.clone(),
            cut.clone(),
        ));
    }
    drop(listener);
    let emptied = async {
        while places.working() > 0 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(GRACE, emptied).await.is_err() {
        tracing::debug!("some connections are cut");
    }
    cut.cancel();
}

/// Says why, where that can be done without waiting, and closes.
fn turn_away(stream: &TcpStream, full: Full, port: &'static str) {
    let (code, reason) = match full {
        Full::Server => (ErrorCode::Unavailable, "server"),
        Full::Network => (ErrorCode::RateLimited, "network"),
    };
    metrics::counter!("http_connections_refused_total", "port" => port, "reason" => reason)
        .increment(1);
    let _ = stream.try_write(answer(code).as_bytes());
}

fn answer(code: ErrorCode) -> String {
    let status = ApiError::from(code).into_response().status();
    let body = format!(
        "{{\"error\":\"{code}\",\"message\":\"{}\"}}",
        "There are too many connections; close some and try again."
    );
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nretry-after: 1\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}
