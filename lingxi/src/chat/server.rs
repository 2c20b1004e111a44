//! Reaching a server, and saying in one line why not.

use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{self, http::StatusCode};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use url::Url;

pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The longest wait for a connection.
const PATIENCE: Duration = Duration::from_secs(15);

/// Connects to the server at `url` with that token.
pub(super) async fn connect(url: &str, token: &str) -> anyhow::Result<Socket> {
    // One provider for the whole process; another part may have chosen it already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let address = address(url, token)?;
    match tokio::time::timeout(PATIENCE, connect_async(address.as_str())).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(error)) => Err(described(url, error)),
        Err(_) => bail!("{url} does not answer within {PATIENCE:?}"),
    }
}

/// The WebSocket's address on a server, which may be below a path: `http` and `https`, as a browser shows it.
fn address(url: &str, token: &str) -> anyhow::Result<Url> {
    let wrong = || format!("--url {url}: expected http://host:port or https://host");
    let mut address = Url::parse(url).with_context(wrong)?;
    let scheme = match address.scheme() {
        "http" | "ws" => "ws",
        "https" | "wss" => "wss",
        _ => bail!(wrong()),
    };
    let changed = address.set_scheme(scheme);
    if changed.is_err() || address.host_str().is_none_or(str::is_empty) {
        bail!(wrong());
    }
    let path = format!("{}/api/v1/ws", address.path().trim_end_matches('/'));
    address.set_path(&path);
    address.set_fragment(None);
    address.set_query(None);
    address.query_pairs_mut().append_pair("token", token);
    Ok(address)
}

fn described(url: &str, error: tungstenite::Error) -> anyhow::Error {
    match error {
        tungstenite::Error::Http(answer) => {
            let body = answer.body().as_deref().unwrap_or_default();
            let body: Value = serde_json::from_slice(body).unwrap_or_default();
            let said = body["message"].as_str().unwrap_or_default();
            match answer.status() {
                StatusCode::UNAUTHORIZED => anyhow!("{url} refused the token: {said}"),
                status if said.is_empty() => {
                    anyhow!("{url} answered {status}: is it a Lingxi server?")
                }
                status => anyhow!("{url} answered {status}: {said}"),
            }
        }
        tungstenite::Error::Io(error) => {
            anyhow!("cannot reach {url}: {error}; is the server running?")
        }
        error => anyhow!("cannot connect to {url}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_written_in_any_usual_way() {
        let of = |url| {
            address(url, "t&1")
                .map(String::from)
                .map_err(|e| e.to_string())
        };
        for (url, expected) in [
            (
                "http://127.0.0.1:8080",
                "ws://127.0.0.1:8080/api/v1/ws?token=t%261",
            ),
            (
                "http://127.0.0.1:8080/",
                "ws://127.0.0.1:8080/api/v1/ws?token=t%261",
            ),
            (
                "http://[::1]:8080//",
                "ws://[::1]:8080/api/v1/ws?token=t%261",
            ),
            (
                "https://chat.example",
                "wss://chat.example/api/v1/ws?token=t%261",
            ),
            (
                "HTTPS://chat.example:8443/im/",
                "wss://chat.example:8443/im/api/v1/ws?token=t%261",
            ),
            (
                "https://chat.example/#/home?x=1",
                "wss://chat.example/api/v1/ws?token=t%261",
            ),
            (
                "wss://chat.example",
                "wss://chat.example/api/v1/ws?token=t%261",
            ),
        ] {
            assert_eq!(of(url).as_deref(), Ok(expected), "{url}");
        }
        for bad in [
            "127.0.0.1:8080",
            "localhost:8080",
            "ftp://x",
            "http://",
            "",
            "httpx://h",
        ] {
            assert!(
                of(bad).unwrap_err().contains("expected http://host:port"),
                "{bad}"
            );
        }
    }
}
