//! What happens, for whoever looks on.

use std::time::Duration;

use serde_json::{Value, json};

use super::frame::Frame;
use super::server::Refused;

/// Something to show.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// A frame of the server, as it came.
    Frame(Frame),
    /// A message of one's own, said here, as it came back.
    Own(Frame),
    /// A message that is to be sent, as its frame.
    Sent(Value),
    /// A message of one's own was committed, or refused for good: the ACK.
    Settled(Frame),
    /// A message is sent again after a while: why, in the server's words.
    Again(Frame),
    /// The connection is there, for the first time or again.
    Connected { again: bool },
    /// The connection is not there.
    Lost { why: String, retry_in: Duration },
    /// What a command found or did.
    Answer { command: &'static str, body: Value },
    /// What was typed was not done.
    Refused { line: String, why: Refused },
}

impl Event {
    /// As one object of JSON. What is no frame of the server has `client`, and no `type`.
    pub(super) fn json(&self) -> String {
        let said = match self {
            Self::Frame(frame) | Self::Own(frame) | Self::Settled(frame) | Self::Again(frame) => {
                return frame.text();
            }
            Self::Sent(frame) => json!({"client": "sent", "frame": frame}),
            Self::Connected { again } => json!({"client": "connected", "again": again}),
            Self::Lost { why, retry_in } => {
                let wait = u64::try_from(retry_in.as_millis()).unwrap_or(u64::MAX);
                json!({"client": "lost", "reason": why, "reconnect_in_ms": wait})
            }
            Self::Answer { command, body } => {
                json!({"client": "answer", "command": command, "body": body})
            }
            Self::Refused { line, why } => {
                json!({"client": "refused", "line": line, "error": why.code, "message": why.message})
            }
        };
        said.to_string()
    }
}
