//! A connection that comes back.

use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, SinkExt, StreamExt as _};
use serde_json::Value;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::backoff::Backoff;
use crate::chat::frame::Frame;
use crate::chat::server::{Refused, Rest, Socket, connect};

/// Servers say something at least every 54 s.
const SILENCE: Duration = Duration::from_secs(120);
/// A server that takes nothing for so long is away.
const WRITE: Duration = Duration::from_secs(10);
/// The longest wait for the other side's close frame.
const CLOSE: Duration = Duration::from_secs(5);

/// A connection that is opened again whenever it breaks, until the server says that it must not be.
pub(super) struct Link {
    rest: Rest,
    state: State,
    backoff: Backoff,
}

enum State {
    Open(Box<Socket>, Instant),
    Opening(BoxFuture<'static, Result<Socket, Refused>>),
    Ended,
}

/// What a connection does.
pub(super) enum Happened {
    /// A frame came.
    Frame(Frame),
    /// It is open, for the first time or again.
    Opened,
    /// It is gone, and will be opened again.
    Lost { why: String, retry_in: Duration },
    /// The server wants no more of this client: why, and what to do.
    Ended(Refused),
}

impl Link {
    /// Opens the first connection.
    ///
    /// # Errors
    /// Says in one line why it cannot.
    pub(super) async fn open(rest: Rest) -> Result<Self, Refused> {
        let socket = Box::new(connect(&rest).await?);
        Ok(Self {
            rest,
            state: State::Open(socket, Instant::now()),
            backoff: Backoff::default(),
        })
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Open(..))
    }

    /// What happens next. Nothing is lost when this is dropped before it is done.
    pub(super) async fn next(&mut self) -> Happened {
        match &mut self.state {
            State::Open(socket, heard) => loop {
                let next = timeout_at(*heard + SILENCE, socket.next()).await;
                *heard = Instant::now();
                match next {
                    Ok(Some(Ok(Message::Text(text)))) => {
                        let frame = Frame::read(&text);
                        if frame["event"] == "drain" {
                            let wait = frame["reconnect_in_ms"].as_u64().unwrap_or_default();
                            self.backoff.named(Duration::from_millis(wait));
                        } else if frame["event"] != "kicked" {
                            self.backoff.works();
                        }
                        return Happened::Frame(frame);
                    }
                    Ok(Some(Ok(Message::Close(frame)))) => return self.closed(frame),
                    Ok(Some(Ok(_))) => {}
                    Ok(Some(Err(error))) => {
                        return self.lost(format!("the connection broke: {error}"));
                    }
                    Ok(None) => return self.lost("the connection ended".to_owned()),
                    Err(_) => return self.lost("the server is silent".to_owned()),
                }
            },
            State::Opening(opening) => match opening.await {
                Ok(socket) => {
                    self.state = State::Open(Box::new(socket), Instant::now());
                    Happened::Opened
                }
                Err(why) if why.code == "unauthorized" => self.end(why),
                Err(why) => self.lost(why.message),
            },
            State::Ended => std::future::pending().await,
        }
    }

    /// Sends a frame, if there is a connection. One that breaks meanwhile is noticed by [`next`](Self::next).
    pub(super) async fn send(&mut self, frame: &Value) {
        if let State::Open(socket, heard) = &mut self.state {
            let sent = timeout(WRITE, socket.send(Message::text(frame.to_string()))).await;
            if sent.is_err() {
                // As if nothing had come for too long.
                *heard = Instant::now() - SILENCE;
            }
        }
    }

    /// Closes. What was sent before has arrived when this is done, if the server is there.
    pub(super) async fn close(&mut self) {
        if let State::Open(socket, _) = &mut self.state {
            let _ = timeout(CLOSE, async {
                SinkExt::close(socket.as_mut()).await?;
                while let Some(Ok(_)) = socket.next().await {}
                Ok::<_, tokio_tungstenite::tungstenite::Error>(())
            })
            .await;
        }
        self.state = State::Ended;
    }

    /// By the contract's codes.
    fn closed(&mut self, frame: Option<CloseFrame>) -> Happened {
        let (code, reason) = frame.map_or((1006, String::new()), |frame| {
            (u16::from(frame.code), frame.reason.to_string())
        });
        let server = &self.rest.server.named;
        let ended = match code {
            4001 => {
                let message =
                    format!("{server} refused the token: {reason}; log in again (--user NAME)");
                Refused::new("unauthorized", message)
            }
            4002 => {
                let message = format!(
                    "{server} has closed this connection: the account has connected elsewhere, and has one connection at a time"
                );
                Refused::new("kicked", message)
            }
            1009 => Refused::new(
                "too_large",
                format!("{server} closed the connection: {reason}"),
            ),
            _ => {
                return self.lost(format!(
                    "the server closed the connection ({code} {reason})"
                ));
            }
        };
        self.end(ended)
    }

    fn end(&mut self, why: Refused) -> Happened {
        self.state = State::Ended;
        Happened::Ended(why)
    }

    fn lost(&mut self, why: String) -> Happened {
        let retry_in = self.backoff.next();
        let rest = self.rest.clone();
        let opening = async move {
            tokio::time::sleep(retry_in).await;
            connect(&rest).await
        };
        self.state = State::Opening(opening.boxed());
        Happened::Lost { why, retry_in }
    }
}
