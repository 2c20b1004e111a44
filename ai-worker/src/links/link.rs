//! One stream of events to one gateway.

use std::time::Duration;

use lingxi_proto::sink::AiEvent;
use lingxi_proto::sink::token_sink_client::TokenSinkClient;
use lingxi_runtime::config::Secret;
use lingxi_store::Store;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};

use crate::providers::said;

const CONNECT: Duration = Duration::from_secs(2);
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// Attempts to find and to reach a gateway before its subscribers are given up; they ask again.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(100);

/// Why a stream ended.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("{0}")]
    Address(String),
    #[error(transparent)]
    Connection(#[from] tonic::transport::Error),
    #[error("{0}")]
    Refused(#[from] tonic::Status),
    #[error(transparent)]
    Store(#[from] lingxi_store::Error),
    #[error("no such gateway is registered")]
    Unknown,
}

/// Sends what comes in `events` until its senders have gone or the connection breaks. The gateway's address is the one in
/// the store: nobody else is shown the token.
pub(super) async fn run(
    store: &Store,
    node: &str,
    token: Option<&Secret>,
    events: mpsc::Receiver<AiEvent>,
) {
    metrics::gauge!("lingxi_ai_links").increment(1);
    match stream(store, node, token, events).await {
        Ok(()) => tracing::debug!(gateway = node, "the link ended"),
        Err(error) => {
            let error = said(&error.to_string(), 300);
            tracing::warn!(gateway = node, error, "the link to a gateway broke");
        }
    }
    metrics::gauge!("lingxi_ai_links").decrement(1);
}

async fn stream(
    store: &Store,
    node: &str,
    token: Option<&Secret>,
    events: mpsc::Receiver<AiEvent>,
) -> Result<(), Broken> {
    let address = find(store, node).await?;
    let mut client = TokenSinkClient::new(connect(&address).await?);
    let mut request = Request::new(ReceiverStream::new(events));
    if let Some(token) = token {
        let value = format!("Bearer {}", token.expose());
        let value: MetadataValue<Ascii> = value
            .parse()
            .map_err(|_| Broken::Address("cluster_token is no header value".into()))?;
        request.metadata_mut().insert("authorization", value);
    }
    client.push(request).await?;
    Ok(())
}

/// Where the gateway is. One that has just started may not be registered yet.
async fn find(store: &Store, node: &str) -> Result<String, Broken> {
    for attempt in 1..=ATTEMPTS {
        if let Some(address) = store.gateway_address(node).await? {
            return Ok(address);
        }
        if attempt < ATTEMPTS {
            tokio::time::sleep(PAUSE).await;
        }
    }
    Err(Broken::Unknown)
}

async fn connect(address: &str) -> Result<Channel, Broken> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))
        .map_err(|_| Broken::Address(format!("{address:?} is no host:port")))?
        .connect_timeout(CONNECT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE);
    let mut attempt = 1;
    loop {
        match endpoint.connect().await {
            Ok(channel) => return Ok(channel),
            Err(error) if attempt >= ATTEMPTS => return Err(error.into()),
            Err(_) => attempt += 1,
        }
        tokio::time::sleep(PAUSE).await;
    }
}
