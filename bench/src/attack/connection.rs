//! A bare TCP connection to the server: an attacker writes what no HTTP library would.

use std::io;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout_at},
};

use crate::client::Endpoint;

pub(super) struct Connection(TcpStream);

impl Connection {
    pub(super) async fn open(endpoint: &Endpoint) -> io::Result<Self> {
        let stream = TcpStream::connect(endpoint.address()).await?;
        stream.set_nodelay(true)?;
        Ok(Self(stream))
    }

    /// Writes all of it, or as much as is taken until then. Returns true if all was taken.
    pub(super) async fn write(&mut self, bytes: &[u8], until: Instant) -> bool {
        matches!(timeout_at(until, self.0.write_all(bytes)).await, Ok(Ok(())))
    }

    /// The status of the next answer; `None` when there is none until then. Its body is left in the kernel.
    pub(super) async fn status(&mut self, until: Instant) -> Option<u16> {
        let mut head = [0_u8; 2048];
        let read = timeout_at(until, self.0.read(&mut head)).await.ok()?.ok()?;
        let text = String::from_utf8_lossy(head.get(..read)?);
        text.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
    }

    /// Stays silent until the server closes the connection or time is up. Returns true if it was closed.
    pub(super) async fn is_closed_before(&mut self, until: Instant) -> bool {
        let mut sink = [0_u8; 512];
        loop {
            match timeout_at(until, self.0.read(&mut sink)).await {
                Err(_) => return false,
                Ok(Ok(0) | Err(_)) => return true,
                Ok(Ok(_)) => {}
            }
        }
    }
}
