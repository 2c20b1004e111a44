//! The answer to a client's frame.

use schemars::JsonSchema;
use serde::Serialize;

use super::list::encode;
use crate::frame::kind;
use crate::{ErrorCode, Seq};

/// The answer to one frame of a client.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Ack<'a> {
    #[serde(rename = "type")]
    #[schemars(extend("const" = kind::ACK))]
    kind: i64,
    /// The frame's own; empty where it had none that could be read.
    msg_id: &'a str,
    /// `received` answers a heartbeat. `stored` and `delivered` mean that the message is committed. `failed` means that
    /// this attempt was refused.
    #[schemars(extend("enum" = ["received", "delivered", "stored", "failed"]))]
    status: &'a str,
    /// The message's id, once it is committed.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    /// Its place in the conversation's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<Seq>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = codes()))]
    reason: Option<&'a str>,
    /// What to do about it, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

fn codes() -> Vec<&'static str> {
    ErrorCode::ALL.iter().map(|code| code.as_str()).collect()
}

impl<'a> Ack<'a> {
    fn new(msg_id: &'a str, status: &'a str) -> Self {
        Self {
            kind: kind::ACK,
            msg_id,
            status,
            id: None,
            seq: None,
            reason: None,
            message: None,
        }
    }
}

/// What the ACK of a committed message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckStatus {
    /// The recipient's gateway wrote it to an open socket.
    Delivered,
    /// Committed; the recipient is away, or it is a group.
    Stored,
}

impl AckStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Stored => "stored",
        }
    }
}

/// The answer to a client's heartbeat.
pub fn received(msg_id: &str) -> String {
    encode(&Ack::new(msg_id, "received"))
}

/// The ACK of a committed message.
pub fn committed(msg_id: &str, status: AckStatus, id: i64, seq: Seq) -> String {
    encode(&Ack {
        id: Some(id),
        seq: Some(seq),
        ..Ack::new(msg_id, status.as_str())
    })
}

/// The ACK of a refused frame.
pub fn failed(msg_id: &str, reason: ErrorCode, message: &str) -> String {
    encode(&Ack {
        reason: Some(reason.as_str()),
        message: Some(message),
        ..Ack::new(msg_id, "failed")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acks_have_the_published_shape() {
        assert_eq!(
            received("a"),
            r#"{"type":3,"msg_id":"a","status":"received"}"#
        );
        assert_eq!(
            committed("a", AckStatus::Delivered, 7, 1),
            r#"{"type":3,"msg_id":"a","status":"delivered","id":7,"seq":1}"#
        );
        assert!(
            failed("a\"", ErrorCode::NotMember, "m")
                .contains(r#""msg_id":"a\"","status":"failed","reason":"not_member""#)
        );
    }
}
