//! The gRPC port: workers push events here.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use lingxi_proto::sink::token_sink_server::{TokenSink, TokenSinkServer};
use lingxi_proto::sink::{AiEvent, PushSummary};
use lingxi_runtime::listener::Listener;
use tokio_util::sync::CancellationToken;
use tonic::metadata::MetadataMap;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

use super::Subscribers;
use crate::state::AppState;

const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// How long workers' streams may take to end once the port closes.
const GRACE: Duration = Duration::from_secs(2);

/// Serves the gRPC port until `stop`, and then a moment longer for what is open.
pub(crate) async fn serve(state: AppState, listener: Listener, stop: CancellationToken) {
    let token = state.options.cluster_token.clone();
    let service = SinkService {
        subscribers: state.subscribers.clone(),
        token,
        stopping: state.stopping.clone(),
    };
    let served = Server::builder()
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .http2_keepalive_timeout(Some(KEEP_ALIVE))
        .add_service(TokenSinkServer::new(service))
        .serve_with_incoming_shutdown(listener, stop.clone().cancelled_owned());
    let out_of_time = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = served => if let Err(error) = served {
            tracing::error!(%error, "the gRPC port failed");
        },
        () = out_of_time => tracing::debug!("some workers' streams are cut"),
    }
}

/// Takes workers' streams and hands each event to its subscriber.
pub(super) struct SinkService {
    pub(super) subscribers: Arc<Subscribers>,
    pub(super) token: Option<String>,
    pub(super) stopping: CancellationToken,
}

#[tonic::async_trait]
impl TokenSink for SinkService {
    async fn push(
        &self,
        request: Request<Streaming<AiEvent>>,
    ) -> Result<Response<PushSummary>, Status> {
        admit(
            self.token.as_deref(),
            request.metadata(),
            request.remote_addr(),
        )?;
        let mut stream = request.into_inner();
        let mut received = 0;
        loop {
            let next = tokio::select! {
                next = stream.message() => next?,
                () = self.stopping.cancelled() => None,
            };
            let Some(event) = next else {
                return Ok(Response::new(PushSummary { received }));
            };
            received += 1;
            self.subscribers.deliver(event);
        }
    }
}

/// Lets in who shows the cluster token; without one configured, whoever is on this machine.
fn admit(
    token: Option<&str>,
    metadata: &MetadataMap,
    peer: Option<SocketAddr>,
) -> Result<(), Status> {
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        // A loopback address in IPv6's clothes is one too.
        let local = peer.is_some_and(|peer| match peer.ip() {
            IpAddr::V6(v6) => v6
                .to_ipv4_mapped()
                .map_or(v6.is_loopback(), |v4| v4.is_loopback()),
            IpAddr::V4(v4) => v4.is_loopback(),
        });
        let refusal = "without a cluster token only this machine is let in";
        return if local {
            Ok(())
        } else {
            Err(Status::permission_denied(refusal))
        };
    };
    let shown = lingxi_http::bearer(metadata.as_ref()).unwrap_or_default();
    if same(shown.as_bytes(), token.as_bytes()) {
        Ok(())
    } else {
        Err(Status::unauthenticated(
            "the cluster token is missing or wrong",
        ))
    }
}

/// Compares in a time that does not tell where two texts differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    let differences = a.iter().zip(b).fold(0, |sum, (a, b)| sum | (a ^ b));
    a.len() == b.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_lets_in_and_without_one_only_this_machine() {
        let with = |value: &str| {
            let mut metadata = MetadataMap::new();
            metadata.insert("authorization", value.parse().unwrap());
            metadata
        };
        let (near, far): (SocketAddr, SocketAddr) = (
            "127.0.0.1:1".parse().unwrap(),
            "10.0.0.9:1".parse().unwrap(),
        );
        let mapped: SocketAddr = "[::ffff:127.0.0.1]:1".parse().unwrap();
        let none = MetadataMap::new();
        for peer in [near, mapped, "[::1]:1".parse().unwrap()] {
            assert!(admit(None, &none, Some(peer)).is_ok(), "{peer}");
        }
        assert!(admit(None, &none, Some(far)).is_err());
        assert!(admit(None, &none, None).is_err());
        assert!(admit(Some("secret"), &with("Bearer secret"), Some(far)).is_ok());
        assert!(admit(Some("secret"), &with("bearer secret"), Some(far)).is_ok());
        assert!(admit(Some("secret"), &none, Some(near)).is_err());
        for wrong in ["Bearer secre", "Bearer secret2", "secret", "Bearer "] {
            assert!(
                admit(Some("secret"), &with(wrong), Some(near)).is_err(),
                "{wrong}"
            );
        }
    }
}
