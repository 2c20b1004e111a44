//! Bytes on a connection, for what no HTTP client sends.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use super::DEADLINE;

/// A connection to a server, and nothing of a protocol.
#[derive(Debug)]
pub(crate) struct Raw {
    stream: TcpStream,
}

impl Raw {
    /// Connects to `http://host:port`.
    pub(crate) async fn connect(base: &str) -> Self {
        Self::connect_from(base, Ipv4Addr::LOCALHOST)
            .await
            .expect("a connection")
    }

    /// Connects from one of this machine's own addresses, 127.0.0.0/8. The receive buffer is small, so that what is not
    /// read waits at the server.
    pub(crate) async fn connect_from(base: &str, from: Ipv4Addr) -> std::io::Result<Self> {
        let address: SocketAddr = base.trim_start_matches("http://").parse().expect("a URL");
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(4096)?;
        socket.bind((from, 0).into())?;
        let stream = timeout(DEADLINE, socket.connect(address)).await;
        let stream = stream.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))?;
        Ok(Self { stream })
    }

    /// Sends as much as the server takes: one that has refused may take no more.
    pub(crate) async fn send(&mut self, bytes: &str) {
        let _ = timeout(DEADLINE, self.stream.write_all(bytes.as_bytes())).await;
    }

    /// The first bytes of an answer; the rest waits.
    pub(crate) async fn beginning(&mut self) -> String {
        let mut piece = [0; 512];
        let read = timeout(DEADLINE, self.stream.read(&mut piece)).await;
        let read = read.expect("in time").expect("an answer");
        String::from_utf8_lossy(&piece[..read]).into_owned()
    }

    /// What comes until it ends, or until nothing more has come for half a second after the first bytes.
    pub(crate) async fn answer(&mut self) -> String {
        let mut answer = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let patience = if answer.is_empty() {
                DEADLINE
            } else {
                Duration::from_millis(500)
            };
            match timeout(patience, self.stream.read(&mut piece)).await {
                Ok(Ok(0) | Err(_)) | Err(_) => break,
                Ok(Ok(read)) => answer.extend_from_slice(&piece[..read]),
            }
        }
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Returns true if the server closes within `patience`, whatever it says before.
    pub(crate) async fn ends_within(&mut self, patience: Duration) -> bool {
        let mut rest = Vec::new();
        timeout(patience, self.stream.read_to_end(&mut rest))
            .await
            .is_ok()
    }
}
