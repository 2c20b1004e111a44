//! The task of one socket: reads frames, writes what waits, keeps the connection alive, and closes it in the end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use futures_util::SinkExt as _;
use lingxi_bus::Replier;
use lingxi_domain::frame::server;
use lingxi_domain::now_ms;
use lingxi_proto::bus::CursorMove;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite;

use super::allowance::Allowance;
use super::close::{CLOSING, Close, close};
use super::commands::Connection;
use super::session::Session;
use super::{inbound, resync};
use crate::state::AppState;

/// At most one confirming Ping in this time.
const PING_INTERVAL: Duration = Duration::from_secs(1);
/// Confirming Pings that may be unanswered; the next waits for the first.
const PINGS_IN_FLIGHT: usize = 8;

/// One open socket.
pub(crate) struct Socket {
    state: AppState,
    session: Arc<Session>,
    socket: WebSocket,
    /// What its user may still send.
    allowance: Arc<Allowance>,
    /// Pings sent and not yet answered, with what each covers.
    pings: VecDeque<(u64, Vec<CursorMove>)>,
    next_ping: u64,
    last_ping: Instant,
    /// When something last came from the client.
    heard: Instant,
    /// Whether the client was asked for a life sign since.
    asked: bool,
    /// Whether a Ping is to go with the next write, whatever it covers.
    ask: bool,
    /// When its token ends.
    expires: Instant,
}

/// How a socket's loop ended.
enum End {
    /// The client went, or the connection broke.
    Gone,
    /// We close it.
    Close(Close),
    /// We close it in the middle of a write: frames that were taken for it are gone, so that nothing may follow them.
    Cut(Close),
}

impl Socket {
    pub(crate) fn new(state: AppState, session: Arc<Session>, socket: WebSocket) -> Self {
        let allowance = state.sessions.allowance(session.user_id);
        let now = Instant::now();
        let last_ping = now.checked_sub(PING_INTERVAL).unwrap_or(now);
        let expires = token_end(&session);
        Self {
            state,
            session,
            socket,
            allowance,
            pings: VecDeque::new(),
            next_ping: 0,
            last_ping,
            heard: now,
            asked: false,
            ask: false,
            expires,
        }
    }

    /// Serves the connection to its end.
    pub(crate) async fn serve(&mut self) {
        let end = self.run().await;
        let closing = async {
            match end {
                End::Gone => {}
                End::Close(reason) => {
                    // What waits goes out first, so that the client learns why.
                    let _ = self.write_waiting().await;
                    close(&mut self.socket, reason).await;
                }
                End::Cut(reason) => close(&mut self.socket, reason).await,
            }
        };
        // A client that does not read is not waited for.
        let _ = tokio::time::timeout(CLOSING, Box::pin(closing)).await;
        self.session.gone();
    }

    async fn run(&mut self) -> End {
        let session = self.session.clone();
        loop {
            if let Some(reason) = session.closing() {
                return End::Close(reason);
            }
            let deadline = self.deadline();
            tokio::select! {
                received = self.socket.recv() => match received {
                    Some(Ok(message)) => {
                        // Boxed, as all that an idle connection would keep room for.
                        if let Some(end) = Box::pin(self.received(message)).await { return end; }
                    }
                    Some(Err(error)) => return broken(error),
                    None => return End::Gone,
                },
                () = session.wake.notified() => {
                    if let Some(end) = Box::pin(self.write()).await { return end; }
                }
                () = tokio::time::sleep_until(deadline) => {
                    if let Some(end) = Box::pin(self.due()).await { return end; }
                }
            }
        }
    }

    /// When the loop has something to do though nothing happens.
    fn deadline(&self) -> Instant {
        let silence = self.state.options.heartbeat * if self.asked { 2 } else { 1 };
        let silent = (self.heard + silence).min(self.expires);
        if self.session.wants_ping() && self.pings.len() < PINGS_IN_FLIGHT {
            silent.min(self.last_ping + PING_INTERVAL)
        } else {
            silent
        }
    }

    async fn received(&mut self, message: Message) -> Option<End> {
        self.heard = Instant::now();
        self.asked = false;
        if let Message::Pong(payload) = &message
            && let Some(moves) = self.answered(payload)
        {
            self.session.confirm(&moves);
            resync::confirm(&self.state, moves).await;
            return None;
        }
        let from = Connection {
            state: &self.state,
            session: &self.session,
            allowance: &self.allowance,
        };
        let pause = match message {
            Message::Text(text) => inbound::text(&from, text.as_str()).await,
            Message::Binary(_) => inbound::binary(&from).await,
            Message::Ping(_) | Message::Pong(_) => inbound::control(&from).await,
            Message::Close(_) => {
                // The library has queued the answer; without it browsers call the close unclean.
                let _ = tokio::time::timeout(CLOSING, self.socket.flush()).await;
                return Some(End::Gone);
            }
        };
        if let Some(pause) = pause {
            // Whoever sends too much is read more slowly, and nobody else.
            tokio::time::sleep(pause).await;
        }
        None
    }

    /// What a Pong confirms: all that was written before its Ping, and before every earlier one. `None` for one that
    /// nobody asked for.
    fn answered(&mut self, payload: &[u8]) -> Option<Vec<CursorMove>> {
        let number = u64::from_be_bytes(payload.try_into().ok()?);
        let at = self.pings.iter().position(|(n, _)| *n == number)?;
        let answered = self.pings.drain(..=at);
        Some(answered.flat_map(|(_, covered)| covered).collect())
    }

    /// Writes what waits, and the Ping that lets the client confirm it when one is due.
    async fn write(&mut self) -> Option<End> {
        let session = self.session.clone();
        // A client that does not read blocks the write; it must not block the close.
        let patience = self.state.options.heartbeat * 2;
        let written = tokio::select! {
            // First, so that a write that does not wait arms nothing.
            biased;
            written = self.write_and_ping() => written,
            reason = closed_while_stuck(&session) => return Some(End::Cut(reason)),
            () = tokio::time::sleep(patience) => return Some(End::Cut(Close::TooSlow)),
        };
        if written.is_err() {
            return Some(End::Gone);
        }
        if session.has_waiting() {
            // Waiting for a reason to close may have swallowed its wake-up.
            session.wake.notify_one();
        } else if session.wants_round() {
            self.state.resync.ask(&session);
        }
        None
    }

    async fn write_and_ping(&mut self) -> Result<(), axum::Error> {
        self.write_waiting().await?;
        if std::mem::take(&mut self.ask) {
            let covered = self.session.cover();
            return self.ping(covered).await;
        }
        self.ping_if_due().await
    }

    async fn write_waiting(&mut self) -> Result<(), axum::Error> {
        while let Some(frames) = self.session.take() {
            let mut repliers: Vec<Replier> = Vec::new();
            for frame in frames {
                // Frames are made by this system: they are UTF-8.
                let text = Utf8Bytes::try_from(frame.json).unwrap_or_default();
                self.socket.feed(Message::Text(text)).await?;
                repliers.extend(frame.written);
            }
            self.socket.flush().await?;
            for replier in repliers {
                replier.reply(Bytes::new());
            }
            #[cfg(feature = "sabotage")]
            if crate::sabotage::planted("cursor-moved-on-write") {
                let covered = self.session.cover();
                self.session.confirm(&covered);
                resync::confirm(&self.state, covered).await;
            }
        }
        Ok(())
    }

    async fn ping_if_due(&mut self) -> Result<(), axum::Error> {
        let due = self.last_ping.elapsed() >= PING_INTERVAL;
        if !due || !self.session.wants_ping() || self.pings.len() >= PINGS_IN_FLIGHT {
            return Ok(());
        }
        let covered = self.session.cover();
        self.ping(covered).await
    }

    async fn ping(&mut self, covered: Vec<CursorMove>) -> Result<(), axum::Error> {
        self.next_ping += 1;
        self.last_ping = Instant::now();
        self.pings.push_back((self.next_ping, covered));
        let payload = Bytes::copy_from_slice(&self.next_ping.to_be_bytes());
        self.socket.send(Message::Ping(payload)).await
    }

    /// A deadline passed: a Ping is due, or the client was silent.
    async fn due(&mut self) -> Option<End> {
        if self.session.expires_at <= now_ms() {
            return Some(End::Close(Close::Unauthorized));
        }
        self.expires = token_end(&self.session);
        let silent = self.heard.elapsed();
        if silent >= self.state.options.heartbeat * 2 {
            return Some(End::Close(Close::Silent));
        }
        if silent >= self.state.options.heartbeat && !self.asked {
            self.asked = true;
            self.ask = self.pings.len() < PINGS_IN_FLIGHT;
            self.session.push_plain(server::ping());
        }
        self.write().await
    }
}

/// Why nothing more can be read. A frame that is too large to be taken in can still be answered by a close.
fn broken(error: axum::Error) -> End {
    let error = error.into_inner().downcast::<tungstenite::Error>();
    match error.as_deref() {
        Ok(tungstenite::Error::Capacity(_)) => End::Close(Close::TooLarge),
        _ => End::Gone,
    }
}

/// When the session's token ends, or a day from now if that is sooner: tokens may be good for years, timers are not.
fn token_end(session: &Session) -> Instant {
    let left = u64::try_from(session.expires_at - now_ms()).unwrap_or(0);
    Instant::now() + Duration::from_millis(left).min(Duration::from_secs(86_400))
}

/// Resolves when the session is to be closed, a moment after the reason is known, so that an unhindered write ends first.
async fn closed_while_stuck(session: &Session) -> Close {
    loop {
        if let Some(reason) = session.closing() {
            tokio::time::sleep(CLOSING / 4).await;
            return reason;
        }
        session.wake.notified().await;
    }
}
