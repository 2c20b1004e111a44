//! The internal port, which answers whatever the public one goes through.

use std::net::SocketAddr;
use std::time::Duration;

use axum::middleware::from_fn_with_state;
use axum::serve::Listener;
use lingxi_runtime::budget::Budget;
use lingxi_runtime::health::{self, Readiness};
use lingxi_runtime::metrics;
use lingxi_runtime::shutdown::Shutdown;
use tokio::net::TcpStream;
use tokio::time::interval;
use tokio_util::sync::CancellationToken;

use super::serve::serve as serve_http;
use crate::Options;
use crate::hosts::{self, Hosts};
use crate::stack::no_guessing;

const UPKEEP_EVERY: Duration = Duration::from_secs(5);
/// Connections at once: some probes and scrapers.
const CONNECTIONS: usize = 32;
/// Bytes that heads of requests may take.
const HEADS: usize = 1024 * 1024;

/// Answers health checks and scrapes on `listener` until the tasks of `system` have ended, so that probes work through the
/// drain; `/readyz` says 503 from the trigger on. Run it with a [`Shutdown`] of its own: `system` would wait for it.
pub async fn serve<L>(listener: L, readiness: Readiness, system: Shutdown, own: &Shutdown)
where
    L: Listener<Io = TcpStream, Addr = SocketAddr>,
{
    let options = Options {
        name: "internal",
        max_connections: CONNECTIONS,
        max_connections_per_network: CONNECTIONS,
        ..Options::default()
    };
    // A page that rebinds its name does not get at profiles either.
    let hosts = listener
        .local_addr()
        .map(|bound| Hosts::of(bound, &[], false));
    let app = health::router(readiness, system.clone())
        .layer(from_fn_with_state(hosts.unwrap_or_default(), hosts::check))
        .layer(no_guessing());
    let stop = CancellationToken::new();
    let drained = async {
        tokio::select! {
            () = system.drained() => {}
            () = own.cancelled() => {}
        }
        stop.cancel();
    };
    let upkeep = async {
        let mut upkeep = interval(UPKEEP_EVERY);
        loop {
            upkeep.tick().await;
            metrics::upkeep();
        }
    };
    let served = serve_http(
        listener,
        app,
        options,
        Budget::new(HEADS),
        stop.clone(),
        own.tasks("internal connection"),
    );
    tokio::select! {
        ((), ()) = async { tokio::join!(served, drained) } => {}
        () = upkeep => {}
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    async fn ask(address: std::net::SocketAddr, path: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address).await?;
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    #[tokio::test]
    async fn serves_through_the_drain_and_ends_after_it() {
        let (system, own) = (Shutdown::new(), Shutdown::new());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        own.spawn("internal port", {
            let (system, own) = (system.clone(), own.clone());
            async move { serve(listener, Readiness::new(), system, &own).await }
        });
        let ready = ask(address, "/readyz").await.unwrap();
        assert!(
            ready.contains("200 OK") && ready.contains("nosniff"),
            "{ready}"
        );
        let (finish, finished) = tokio::sync::oneshot::channel::<()>();
        system.spawn("draining", async move { drop(finished.await) });
        system.trigger();
        let draining = ask(address, "/readyz").await.unwrap();
        assert!(draining.contains("503") && draining.contains("draining"));
        drop(finish);
        system.wait_all(Duration::from_secs(5)).await.unwrap();
        own.wait_all(Duration::from_secs(5)).await.unwrap();
        assert!(ask(address, "/readyz").await.is_err());
    }
}
