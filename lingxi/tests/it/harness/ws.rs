//! A client on a WebSocket: sends frames, and waits for the one it expects while the others queue up.

use std::collections::VecDeque;

use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use lingxi_testing::DEADLINE;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message;

use super::protocol;
use super::socket::{Link, Socket};

/// A connected client. It reads all the time, and so answers Pings; dropping it cuts the connection.
#[derive(Debug)]
pub(crate) struct Ws {
    sink: SplitSink<Socket, Message>,
    items: mpsc::UnboundedReceiver<Item>,
    waiting: VecDeque<Value>,
    /// A Ping has come since the last frame of a conversation.
    pinged: bool,
    closed: Option<Closed>,
    reader: JoinHandle<()>,
}

/// How a connection ended: the close frame's code, or none when it was cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closed {
    pub(crate) code: Option<u16>,
}

#[derive(Debug)]
enum Item {
    Frame(Value),
    Ping,
    Closed(Closed),
}

impl Ws {
    /// Connects, and begins to read.
    pub(crate) async fn open(link: &Link) -> Self {
        let socket = link.open().await;
        let socket = socket.unwrap_or_else(|error| panic!("no WebSocket at {link:?}: {error}"));
        let (sink, mut stream) = socket.split();
        let (put, items) = mpsc::unbounded_channel();
        let reader = tokio::spawn(async move {
            let mut code = None;
            while let Some(Ok(message)) = stream.next().await {
                let item = match message {
                    Message::Text(text) => match serde_json::from_str(&text) {
                        Ok(frame) => Item::Frame(frame),
                        Err(error) => Item::Frame(
                            json!({"not_json": text.as_str(), "why": error.to_string()}),
                        ),
                    },
                    Message::Ping(_) => Item::Ping,
                    Message::Close(frame) => {
                        code = frame.map(|frame| u16::from(frame.code));
                        continue;
                    }
                    _ => continue,
                };
                if put.send(item).is_err() {
                    return;
                }
            }
            let _ = put.send(Item::Closed(Closed { code }));
        });
        Self {
            sink,
            items,
            waiting: VecDeque::new(),
            pinged: false,
            closed: None,
            reader,
        }
    }

    pub(crate) async fn send(&mut self, frame: Value) {
        self.send_raw(Message::text(frame.to_string())).await;
    }

    pub(crate) async fn send_raw(&mut self, message: Message) {
        self.sink.send(message).await.expect("an open socket");
    }

    /// Sends what the server may refuse to read to its end.
    pub(crate) async fn send_in_vain(&mut self, frame: Value) {
        let _ = self.sink.send(Message::text(frame.to_string())).await;
    }

    /// Sends a private message.
    pub(crate) async fn say(&mut self, to: &str, msg_id: &str, content: &str) {
        self.send(json!({"type": 2, "msg_id": msg_id, "to": to, "content": content}))
            .await;
    }

    /// Sends a group message.
    pub(crate) async fn say_in(&mut self, group: u64, msg_id: &str, content: &str) {
        self.send(json!({"type": 4, "msg_id": msg_id, "group_id": group, "content": content}))
            .await;
    }

    /// Takes in what has come, waiting at most to `deadline` for one item. `false`: nothing came.
    async fn take(&mut self, deadline: Instant) -> bool {
        if self.closed.is_some() {
            return false;
        }
        match timeout_at(deadline, self.items.recv()).await {
            Ok(Some(Item::Frame(frame))) => {
                protocol::SERVER.hold(&frame);
                if matches!(frame["type"].as_u64(), Some(2 | 4 | 5)) {
                    self.pinged = false;
                }
                self.waiting.push_back(frame);
            }
            Ok(Some(Item::Ping)) => self.pinged = true,
            Ok(Some(Item::Closed(closed))) => self.closed = Some(closed),
            Ok(None) | Err(_) => return false,
        }
        true
    }

    /// The first frame that fits, taken out of the queue; panics at the deadline or when the socket closes.
    pub(crate) async fn expect(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + DEADLINE;
        let mut looked_at = 0;
        loop {
            while looked_at < self.waiting.len() {
                if fits(&self.waiting[looked_at]) {
                    return self.waiting.remove(looked_at).expect("it is there");
                }
                looked_at += 1;
            }
            if !self.take(deadline).await {
                panic!(
                    "no {what} within {DEADLINE:?}; closed: {:?}; waiting: {:#?}",
                    self.closed, self.waiting
                );
            }
        }
    }

    /// The ACK of a message.
    pub(crate) async fn ack(&mut self, msg_id: &str) -> Value {
        self.expect(&format!("ACK of {msg_id:?}"), |frame| {
            frame["type"] == 3 && frame["msg_id"] == msg_id
        })
        .await
    }

    /// The ACK of a message that was stored; answers its id and seq.
    pub(crate) async fn stored(&mut self, msg_id: &str) -> (u64, u64) {
        let ack = self.ack(msg_id).await;
        assert!(
            ack["status"] == "stored" || ack["status"] == "delivered",
            "not stored: {ack}"
        );
        let number = |field: &str| {
            ack[field]
                .as_u64()
                .unwrap_or_else(|| panic!("no {field}: {ack}"))
        };
        (number("id"), number("seq"))
    }

    /// The ACK of a message that was refused for `reason`.
    pub(crate) async fn refused(&mut self, msg_id: &str, reason: &str) -> Value {
        let ack = self.ack(msg_id).await;
        assert_eq!(ack["status"], "failed", "{ack}");
        assert_eq!(ack["reason"], reason, "{ack}");
        assert!(ack.get("id").is_none_or(Value::is_null), "{ack}");
        assert!(ack.get("seq").is_none_or(Value::is_null), "{ack}");
        ack
    }

    /// The next pushed message with this content.
    pub(crate) async fn message(&mut self, content: &str) -> Value {
        self.expect(&format!("message {content:?}"), |frame| {
            (frame["type"] == 2 || frame["type"] == 4) && frame["content"] == content
        })
        .await
    }

    /// The next system event of this name.
    pub(crate) async fn event(&mut self, name: &str) -> Value {
        self.expect(&format!("event {name}"), |frame| {
            frame["type"] == 5 && frame["event"] == name
        })
        .await
    }

    /// Proves that the connection still works: a heartbeat is answered.
    pub(crate) async fn alive(&mut self) {
        self.send(json!({"type": 1, "msg_id": "still-there"})).await;
        let ack = self.ack("still-there").await;
        assert_eq!(ack["status"], "received", "{ack}");
    }

    /// Drops the frames that have come and fit, so that a long test does not keep them all.
    pub(crate) fn forget(&mut self, fits: impl Fn(&Value) -> bool) {
        self.waiting.retain(|frame| !fits(frame));
    }

    /// Cuts the connection, and answers every frame that was read and not asked for: a Pong may have confirmed it.
    pub(crate) async fn leave(mut self) -> Vec<Value> {
        self.reader.abort();
        let _ = (&mut self.reader).await;
        self.drain()
    }

    /// All frames that have come and that nobody asked for.
    pub(crate) fn drain(&mut self) -> Vec<Value> {
        while let Ok(item) = self.items.try_recv() {
            match item {
                Item::Frame(frame) => {
                    protocol::SERVER.hold(&frame);
                    self.waiting.push_back(frame);
                }
                Item::Ping => self.pinged = true,
                Item::Closed(closed) => self.closed = Some(closed),
            }
        }
        self.waiting.drain(..).collect()
    }

    /// The messages and log events (types 2, 4 and 5) of a conversation that come before the message `last`, which is
    /// taken too. What is pushed in one conversation comes in order, so nothing before it is still on its way.
    pub(crate) async fn before(&mut self, conversation: &str, last: &str) -> Vec<Value> {
        let of_conversation = |frame: &Value| {
            frame["conversation"] == conversation
                && matches!(frame["type"].as_u64(), Some(2 | 4 | 5))
        };
        let mut found = Vec::new();
        loop {
            let frame = self
                .expect(
                    &format!("frame of {conversation} up to {last:?}"),
                    of_conversation,
                )
                .await;
            if frame["content"] == last {
                return found;
            }
            found.push(frame);
        }
    }

    /// Waits until a Ping has come behind the last frame: its Pong confirms everything that was read.
    pub(crate) async fn pinged(&mut self) {
        let deadline = Instant::now() + DEADLINE;
        while !self.pinged {
            assert!(
                self.take(deadline).await,
                "no Ping behind the last frame within {DEADLINE:?}"
            );
        }
    }

    /// Waits until the server closes the connection; frames that came before stay in the queue.
    pub(crate) async fn closed(&mut self) -> Closed {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(closed) = &self.closed {
                return closed.clone();
            }
            assert!(
                self.take(deadline).await,
                "not closed within {DEADLINE:?}; waiting: {:#?}",
                self.waiting
            );
        }
    }

    /// Closes from this side, and waits until the server has answered.
    pub(crate) async fn close(mut self) {
        let _ = self.sink.close().await;
        self.closed().await;
    }
}

impl Drop for Ws {
    fn drop(&mut self) {
        self.reader.abort();
    }
}
