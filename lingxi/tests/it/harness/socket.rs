//! A client's WebSocket whose Pongs can be withheld, and whose reading is up to the test.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use lingxi_testing::DEADLINE;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// A client's end of a WebSocket. It answers Pings by itself whenever it is read, unless [`Link::pongs`] is off.
pub(crate) type Socket = WebSocketStream<Filtered>;

/// How to connect.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    /// `ws://…/api/v1/ws?token=…`
    url: String,
    /// Whether Pongs leave this machine.
    pongs: bool,
    /// The kernel's receive buffer; small to be slow on purpose.
    receive_buffer: Option<u32>,
    /// Sent as `Authorization: Bearer` instead of in the URL.
    bearer: Option<String>,
}

impl Link {
    pub(crate) fn new(base: &str, token: &str) -> Self {
        let base = base.replacen("http", "ws", 1);
        Self {
            url: format!("{base}/api/v1/ws?token={token}"),
            pongs: true,
            receive_buffer: None,
            bearer: None,
        }
    }

    /// The token in the header, none in the URL.
    pub(crate) fn with_header(base: &str, token: &str) -> Self {
        let base = base.replacen("http", "ws", 1);
        Self {
            url: format!("{base}/api/v1/ws"),
            bearer: Some(token.to_owned()),
            ..Self::new(&base, token)
        }
    }

    /// Pongs are made and thrown away: the server sees a client that reads, and confirms nothing.
    pub(crate) fn without_pongs(mut self) -> Self {
        self.pongs = false;
        self
    }

    /// Little room for what the server pushes, so that not reading is noticed soon.
    pub(crate) fn with_small_buffer(mut self) -> Self {
        self.receive_buffer = Some(4096);
        self
    }

    /// Connects; an error is a refused connection or anything but a 101.
    pub(crate) async fn open(&self) -> Result<Socket, Box<dyn std::error::Error + Send + Sync>> {
        let mut request = self.url.as_str().into_client_request()?;
        if let Some(token) = &self.bearer {
            request
                .headers_mut()
                .insert("authorization", format!("Bearer {token}").parse()?);
        }
        let address = request
            .uri()
            .authority()
            .ok_or("no address")?
            .as_str()
            .parse()?;
        let tcp = TcpSocket::new_v4()?;
        if let Some(bytes) = self.receive_buffer {
            tcp.set_recv_buffer_size(bytes)?;
        }
        let tcp = tcp.connect(address).await?;
        tcp.set_nodelay(true)?;
        let open = Arc::new(AtomicBool::new(false));
        let stream = Filtered {
            tcp,
            filtering: Arc::clone(&open),
            unparsed: Vec::new(),
            unsent: Vec::new(),
        };
        let (socket, _) = tokio_tungstenite::client_async(request, stream).await?;
        open.store(!self.pongs, Ordering::Relaxed);
        Ok(socket)
    }
}

impl Link {
    /// Connects again and again until it works: for a server that is being started.
    pub(crate) async fn open_patiently(&self) -> Socket {
        let start = Instant::now();
        loop {
            match self.open().await {
                Ok(socket) => return socket,
                Err(error) => assert!(start.elapsed() < DEADLINE, "{self:?}: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A TCP stream which, once `filtering`, swallows the client's Pong frames on their way out.
#[derive(Debug)]
pub(crate) struct Filtered {
    tcp: TcpStream,
    filtering: Arc<AtomicBool>,
    unparsed: Vec<u8>,
    unsent: Vec<u8>,
}

impl Filtered {
    /// Moves whole frames from `unparsed` to `unsent`, all but Pongs.
    fn sort(&mut self) {
        while let Some(length) = frame_length(&self.unparsed) {
            let rest = self.unparsed.split_off(length);
            let frame = std::mem::replace(&mut self.unparsed, rest);
            let is_pong = frame[0] & 0x0f == 0x0a;
            if !is_pong {
                self.unsent.extend(frame);
            }
        }
    }

    fn drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let sent = ready!(Pin::new(&mut self.tcp).poll_write(cx, &self.unsent))?;
            self.unsent.drain(..sent);
        }
        Poll::Ready(Ok(()))
    }
}

/// The length of the first (masked) frame in `bytes`, when all of it is there.
fn frame_length(bytes: &[u8]) -> Option<usize> {
    let short = usize::from(*bytes.get(1)? & 0x7f);
    let (header, payload) = match short {
        126 => (
            4,
            usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)),
        ),
        127 => {
            let long = u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?);
            (10, usize::try_from(long).ok()?)
        }
        _ => (2, short),
    };
    let length = header + 4 + payload;
    (bytes.len() >= length).then_some(length)
}

impl AsyncRead for Filtered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for Filtered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if !self.filtering.load(Ordering::Relaxed) {
            return Pin::new(&mut self.tcp).poll_write(cx, buf);
        }
        ready!(self.drain(cx))?;
        self.unparsed.extend_from_slice(buf);
        self.sort();
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.drain(cx))?;
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.drain(cx))?;
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

#[test]
fn a_frame_is_cut_where_it_ends() {
    let short = [0x8a, 0x82, 1, 2, 3, 4, 9, 9, 0x81];
    assert_eq!(frame_length(&short), Some(8));
    assert_eq!(frame_length(&short[..7]), None);
    let mut long = vec![0x81, 0xfe, 0x01, 0x00, 1, 2, 3, 4];
    long.resize(8 + 256, 0);
    assert_eq!(frame_length(&long), Some(264));
}

/// What a server sees of a client that reads a Ping and then says something.
#[cfg(test)]
async fn pongs_seen(withheld: bool) -> usize {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let server = tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.expect("a client");
        let mut socket = tokio_tungstenite::accept_async(tcp)
            .await
            .expect("a socket");
        let ping = Message::Ping("now".into());
        socket.send(ping).await.expect("a Ping sent");
        socket
            .send(Message::text("read me"))
            .await
            .expect("text sent");
        let mut pongs = 0;
        loop {
            match socket.next().await.expect("a frame").expect("a frame") {
                Message::Pong(_) => pongs += 1,
                Message::Text(text) => {
                    assert_eq!(text.as_str(), "x".repeat(70_000));
                    return pongs;
                }
                _ => {}
            }
        }
    });
    let link = Link::new(&base, "token");
    let link = if withheld { link.without_pongs() } else { link };
    let mut socket = link.open().await.expect("a socket");
    while !socket
        .next()
        .await
        .expect("a frame")
        .expect("a frame")
        .is_text()
    {}
    let answer = Message::text("x".repeat(70_000));
    socket.send(answer).await.expect("text sent");
    server.await.expect("the server's count")
}

#[tokio::test]
async fn pongs_are_withheld_and_nothing_else() {
    assert_eq!(pongs_seen(false).await, 1);
    assert_eq!(pongs_seen(true).await, 0);
}
