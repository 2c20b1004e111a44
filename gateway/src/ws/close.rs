//! Closing a connection, and the reasons for it.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};

/// How long the end of a connection may take: what waits is written, then the close frame.
pub(super) const CLOSING: Duration = Duration::from_secs(2);

/// Why a connection is closed by the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Close {
    /// Its token is bad, expired or no longer works.
    Unauthorized,
    /// A newer connection took its place.
    Superseded,
    /// It does not read what it is sent.
    TooSlow,
    /// The node is going away.
    Draining,
    /// Something of ours failed; the client repeats on its next connection.
    TryAgain,
    /// It was silent for two intervals.
    Silent,
    /// It sent a frame that is too large to be read.
    TooLarge,
}

impl Close {
    /// The close code and reason that the client sees.
    pub(crate) fn code(self) -> (u16, &'static str) {
        match self {
            Self::Unauthorized => (4001, "unauthorized: log in again"),
            Self::Superseded => (4002, "kicked: a newer connection took over"),
            Self::TooSlow => (4008, "too slow: reconnect and resume"),
            Self::Draining => (1012, "restarting: reconnect"),
            Self::TryAgain => (1011, "try again: reconnect and repeat"),
            Self::Silent => (1001, "silent for too long"),
            Self::TooLarge => (1009, "too large: a frame holds at most 64 KiB"),
        }
    }
}

/// Closes with the reason's code.
pub(super) async fn close(socket: &mut WebSocket, reason: Close) {
    let (code, text) = reason.code();
    let frame = CloseFrame {
        code,
        reason: Utf8Bytes::from_static(text),
    };
    if socket.send(Message::Close(Some(frame))).await.is_err() {
        return;
    }
    // Until the client's own close frame comes, or the connection ends: a socket closed with unread input would be reset,
    // and the client would lose what was written last.
    while let Some(Ok(_)) = socket.recv().await {}
    if reason == Close::TooLarge {
        // What it is still sending cannot be read; it has this long to read why.
        tokio::time::sleep(CLOSING / 2).await;
    }
}
