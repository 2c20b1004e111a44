//! One WebSocket connection: small buffers, no task of its own, no lock.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    pin::Pin,
};

use anyhow::{Context as _, bail, ensure};
use bytes::{Buf as _, BytesMut};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};

use super::wire::{Outbox, Received, drain};

/// A server's public address.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// `http://host:port`, without a slash at the end.
    pub url: String,
    host: String,
    address: SocketAddr,
}

impl Endpoint {
    /// Resolves an `http://` URL.
    ///
    /// # Errors
    /// When it is no such URL or its host has no address.
    pub async fn resolve(url: &str) -> anyhow::Result<Self> {
        let url = url.trim_end_matches('/').to_owned();
        let host = url
            .strip_prefix("http://")
            .context("--url must begin with http://")?
            .to_owned();
        let with_port = if host.contains(':') {
            host.clone()
        } else {
            format!("{host}:80")
        };
        let address = tokio::net::lookup_host(&with_port).await?.next();
        let address = address.with_context(|| format!("{host} has no address"))?;
        Ok(Self { url, host, address })
    }

    /// Whether it is on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.address.ip().is_loopback()
    }

    /// Where to connect to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Resolves a list of such URLs with commas between them: the gateways of one system.
    ///
    /// # Errors
    /// When one of them is no such URL, or there is none.
    pub async fn resolve_all(urls: &str) -> anyhow::Result<Vec<Self>> {
        let mut endpoints = Vec::new();
        for url in urls.split(',').map(str::trim) {
            endpoints.push(Self::resolve(url).await?);
        }
        Ok(endpoints)
    }
}

/// Sockets that are opened from one loopback address: fewer than it has ports.
pub(crate) const PORTS_AN_ADDRESS: usize = 20_000;

/// Why [`Socket::wait`] returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Bytes came in: call [`Socket::receive`].
    Readable,
    /// The timer ended.
    Timer,
    /// Some waiting bytes went out.
    Written,
    /// The server closed the connection.
    Closed,
}

/// An open, authenticated WebSocket.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    inbox: BytesMut,
    /// Frames to send with the next [`Socket::flush`] or [`Socket::wait`].
    pub outbox: Outbox,
}

impl Socket {
    /// Connects and upgrades with `token`. `number` picks the loopback source address, so that more sockets than one
    /// address has ports can be opened.
    ///
    /// # Errors
    /// When the server cannot be reached or does not answer 101.
    pub async fn connect(endpoint: &Endpoint, token: &str, number: usize) -> anyhow::Result<Self> {
        let tcp = if endpoint.address.is_ipv4() {
            TcpSocket::new_v4()?
        } else {
            TcpSocket::new_v6()?
        };
        if endpoint.address.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST) && number >= PORTS_AN_ADDRESS {
            let last = u8::try_from(1 + number / PORTS_AN_ADDRESS)?;
            tcp.bind((Ipv4Addr::new(127, 0, 0, last), 0).into())?;
        }
        let mut stream = tcp.connect(endpoint.address).await?;
        stream.set_nodelay(true)?;
        let key = generate_key();
        let request = format!(
            "GET /api/v1/ws?token={token} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n",
            endpoint.host
        );
        stream.write_all(request.as_bytes()).await?;
        let mut inbox = BytesMut::with_capacity(512);
        let end = loop {
            if let Some(at) = inbox.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            ensure!(
                inbox.len() < 16 * 1024,
                "the answer to the upgrade has no end"
            );
            if stream.read_buf(&mut inbox).await? == 0 {
                bail!("the server closed the connection during the upgrade");
            }
        };
        let head = String::from_utf8_lossy(&inbox[..end]).into_owned();
        let status = head.lines().next().unwrap_or_default();
        ensure!(
            status.split(' ').nth(1) == Some("101"),
            "the upgrade was answered: {status}"
        );
        ensure!(
            head.contains(&derive_accept_key(key.as_bytes())),
            "the upgrade was answered with a wrong key"
        );
        inbox.advance(end);
        Ok(Self {
            stream,
            inbox,
            outbox: Outbox::new(rand::random()),
        })
    }

    /// Hands every frame that has arrived to `each`, which may queue frames of its own. Pings are answered.
    ///
    /// # Errors
    /// When the server breaks the WebSocket protocol.
    pub fn receive(&mut self, each: impl FnMut(Received<'_>, &mut Outbox)) -> io::Result<()> {
        drain(&mut self.inbox, &mut self.outbox, each)
    }

    /// Writes what waits, as far as the kernel takes it at once.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn flush(&mut self) -> io::Result<()> {
        while !self.outbox.waiting().is_empty() {
            match self.stream.try_write(self.outbox.waiting()) {
                Ok(count) => self.outbox.advance(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Waits for the server or for `timer`, whichever comes first, writing what waits meanwhile.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn wait(&mut self, timer: Pin<&mut impl Future<Output = ()>>) -> io::Result<Wake> {
        let Self {
            stream,
            inbox,
            outbox,
        } = self;
        let (mut read, mut write) = stream.split();
        if inbox.capacity() - inbox.len() < 512 {
            inbox.reserve(4096);
        }
        tokio::select! {
            count = read.read_buf(inbox) => Ok(if count? == 0 { Wake::Closed } else { Wake::Readable }),
            count = write.write(outbox.waiting()), if !outbox.waiting().is_empty() => {
                outbox.advance(count?);
                Ok(Wake::Written)
            }
            () = timer => Ok(Wake::Timer),
        }
    }
}
