//! The WebSocket.

use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::{self, handshake::client::Request};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
};

use super::explain::explain;
use super::{Refused, Rest};

/// A connection to a server.
pub(in super::super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The longest wait for a connection.
const PATIENCE: Duration = Duration::from_secs(15);

/// Connects with the token of `rest`.
///
/// # Errors
/// Says in one line why not.
pub(in super::super) async fn connect(rest: &Rest) -> Result<Socket, Refused> {
    let server = &rest.server;
    let request = request(rest)?;
    let tls = Some(Connector::Rustls(server.tls.clone()));
    // On the heap: it is large, and held by whoever waits for it.
    let connecting = connect_async_tls_with_config(request, None, true, tls).boxed();
    match tokio::time::timeout(PATIENCE, connecting).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(tungstenite::Error::Http(answer))) => {
            let body = answer.body().as_deref().unwrap_or_default();
            let body = serde_json::from_slice(body).unwrap_or_default();
            let status = answer.status().as_u16();
            Err(Refused::answered(&server.named, status, &body))
        }
        Ok(Err(error)) => Err(explain(&server.named, &error)),
        Err(_) => {
            let message = format!("{} does not answer within {PATIENCE:?}", server.named);
            Err(Refused::new("unreachable", message))
        }
    }
}

/// The token goes in a header: addresses are written into logs.
fn request(rest: &Rest) -> Result<Request, Refused> {
    let wrong = |what: &str| Refused::new("unauthorized", format!("the {what} cannot be used"));
    let request = rest.server.socket().into_client_request();
    let mut request = request.map_err(|_| wrong("address"))?;
    let bearer = HeaderValue::from_str(&format!("Bearer {}", rest.token()));
    let mut bearer = bearer.map_err(|_| wrong("token"))?;
    bearer.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, bearer);
    Ok(request)
}
