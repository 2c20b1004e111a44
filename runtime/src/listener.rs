//! Binding the sockets that a process listens on.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};
use tokio::time::{Sleep, sleep};
use tokio_stream::Stream;

/// Connections that may wait to be accepted; the system caps it at `net.core.somaxconn`.
const BACKLOG: u32 = 4096;
/// The pause after a failure to accept that is not the client's: no descriptor is left, say.
const PAUSE: Duration = Duration::from_secs(1);
/// Bytes of each connection that may wait in the system to be sent. Without a bound Linux takes megabytes, which no budget
/// counts: an answer that nobody reads would be done with. A slow link still carries a megabyte a second.
const UNSENT: u32 = 128 * 1024;
/// How often another free port is tried that is free on every address.
const FREE_PORTS: u32 = 16;

/// Why a listener could not be had, in one line that names the key to change.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} ({key}): {source}{hint}")]
pub struct Error {
    key: &'static str,
    address: String,
    source: io::Error,
    hint: &'static str,
}

/// Accepts connections on every address of a name, as one listener. There is at least one address, and all have the same
/// port.
#[derive(Debug)]
pub struct Listener {
    sockets: Vec<TcpListener>,
    /// The socket that is asked first, so that a busy one does not starve the others.
    next: usize,
    /// Until when nothing is accepted, after a failure.
    pause: Option<Pin<Box<Sleep>>>,
}

/// Binds `address` (`host:port`; port 0 takes a free one) for the configuration key `key`: every address that the name
/// resolves to. Addresses that this machine does not have, as ::1 where there is no IPv6, are left out when there are
/// others.
///
/// # Errors
/// When none can be bound, or one of them is in use: half of the clients would reach somebody else. The text says what to
/// do.
pub async fn bind(key: &'static str, address: &str) -> Result<Listener, Error> {
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
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for found in lookup_host(address).await.map_err(failed)? {
        if !addresses.contains(&found) {
            addresses.push(found);
        }
    }
    let listener = bind_all(&addresses).map_err(failed)?;
    if listener.sockets.len() > 1 {
        tracing::debug!(key, address, "listens on every address of the name");
    }
    Ok(listener)
}

fn bind_all(addresses: &[SocketAddr]) -> io::Result<Listener> {
    let mut attempts = 1;
    loop {
        match bind_with_one_port(addresses) {
            // The free port of the first address was taken on another.
            Err(error)
                if error.kind() == io::ErrorKind::AddrInUse
                    && attempts < FREE_PORTS
                    && addresses.iter().all(|address| address.port() == 0) =>
            {
                attempts += 1;
            }
            bound => return bound,
        }
    }
}

fn bind_with_one_port(addresses: &[SocketAddr]) -> io::Result<Listener> {
    let mut sockets: Vec<TcpListener> = Vec::new();
    let mut absent = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for &address in addresses {
        let mut address = address;
        if let Some(first) = sockets.first() {
            address.set_port(first.local_addr()?.port());
        }
        match bind_one(address) {
            Ok(socket) => sockets.push(socket),
            Err(error) if is_absent(&error) => absent = error,
            Err(error) => return Err(error),
        }
    }
    match sockets.is_empty() {
        true => Err(absent),
        false => Ok(Listener::of(sockets)),
    }
}

/// Returns true if this machine does not have the address, or not its family.
fn is_absent(error: &io::Error) -> bool {
    // EAFNOSUPPORT on Linux: it has no kind of its own.
    error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(97)
}

fn bind_one(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    // Connections inherit it.
    socket.set_send_buffer_size(UNSENT)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

impl Listener {
    fn of(sockets: Vec<TcpListener>) -> Self {
        Self {
            sockets,
            next: 0,
            pause: None,
        }
    }

    /// The address that it is bound to; of several, the first that others can reach, or else the first.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        let bound = self.local_addrs()?;
        let reachable = bound.iter().find(|address| !address.ip().is_loopback());
        let address = reachable.or(bound.first()).copied();
        address.ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// All addresses that it is bound to.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn local_addrs(&self) -> io::Result<Vec<SocketAddr>> {
        self.sockets.iter().map(TcpListener::local_addr).collect()
    }

    /// The next connection on any of its addresses, without Nagle's delay. A failure that is not one client's (no descriptor
    /// is left, say) is logged, and tried again in a second.
    fn poll_connection(&mut self, cx: &mut Context<'_>) -> Poll<(TcpStream, SocketAddr)> {
        loop {
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            match ready!(self.poll_accept(cx)) {
                Ok((stream, peer)) => {
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "a connection keeps Nagle's delay");
                    }
                    return Poll::Ready((stream, peer));
                }
                Err(error) if is_of_one_client(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "no connection can be accepted; trying again in a second");
                    self.pause = Some(Box::pin(sleep(PAUSE)));
                }
            }
        }
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let count = self.sockets.len();
        for step in 0..count {
            let at = (self.next + step) % count;
            if let Poll::Ready(accepted) = self.sockets[at].poll_accept(cx) {
                self.next = (at + 1) % count;
                return Poll::Ready(accepted);
            }
        }
        Poll::Pending
    }
}

impl From<TcpListener> for Listener {
    fn from(socket: TcpListener) -> Self {
        Self::of(vec![socket])
    }
}

/// For HTTP servers. Dropping the future of `accept` loses no connection.
impl axum::serve::Listener for Listener {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        std::future::poll_fn(|cx| self.poll_connection(cx)).await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Self::local_addr(self)
    }
}

/// For servers that take a stream of connections, as tonic's. It has no end and no errors.
impl Stream for Listener {
    type Item = io::Result<TcpStream>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let connection = self.get_mut().poll_connection(cx);
        connection.map(|(stream, _)| Some(Ok(stream)))
    }
}

/// Returns true if the connection failed before it was accepted: the next one is fine.
fn is_of_one_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    [ConnectionAborted, ConnectionRefused, ConnectionReset].contains(&error.kind())
}

#[cfg(test)]
mod tests;
