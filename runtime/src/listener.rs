//! Binding the sockets that a process listens on.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket, lookup_host};

/// Connections that may wait to be accepted; the system caps it at `net.core.somaxconn`.
const BACKLOG: u32 = 4096;

/// Why a listener could not be had, in one line that names the key to change.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} ({key}): {source}{hint}")]
pub struct Error {
    key: &'static str,
    address: String,
    source: io::Error,
    hint: &'static str,
}

/// Binds `address` (`host:port`; port 0 takes a free one) for the configuration key `key`. The first address that the
/// name resolves to and that can be bound is used.
///
/// # Errors
/// When none can be bound; the text says what to do about an address in use.
pub async fn bind(key: &'static str, address: &str) -> Result<TcpListener, Error> {
    let failed = |source: io::Error| Error {
        key,
        address: address.to_owned(),
        hint: match source.kind() {
            io::ErrorKind::AddrInUse => {
                "; another process has it: stop that one, or set another address"
            }
            io::ErrorKind::PermissionDenied => "; ports below 1024 need privileges",
            _ => "",
        },
        source,
    };
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for candidate in lookup_host(address).await.map_err(failed)? {
        match bind_one(candidate) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(failed(last))
}

fn bind_one(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[cfg(test)]
mod tests {
    use super::bind;

    #[tokio::test]
    async fn port_zero_takes_a_free_port() {
        let listener = bind("listen", "127.0.0.1:0").await.unwrap();
        assert_ne!(listener.local_addr().unwrap().port(), 0);
    }

    #[tokio::test]
    async fn an_address_in_use_is_named_with_its_key() {
        let first = bind("listen", "127.0.0.1:0").await.unwrap();
        let address = first.local_addr().unwrap().to_string();
        let text = bind("internal_listen", &address)
            .await
            .unwrap_err()
            .to_string();
        assert!(
            text.contains(&address) && text.contains("internal_listen"),
            "{text}"
        );
        assert!(text.contains("another process has it"), "{text}");
    }
}
