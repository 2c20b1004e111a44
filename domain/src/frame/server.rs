//! What the server sends: each frame is encoded once, by whoever makes it, and handed on as bytes.

use serde::Serialize;

use super::kind;
use crate::{ConversationKey, ErrorCode, GroupId, Seq};

/// A stored message as clients see it, pushed (`type` 2 or 4) and in history.
#[derive(Clone, Debug, Serialize)]
pub struct MessageFrame<'a> {
    /// 2 private, 4 group.
    #[serde(rename = "type")]
    pub kind: i64,
    /// The message's id.
    pub id: i64,
    /// Its place in the conversation's log.
    pub seq: Seq,
    /// The conversation's key.
    pub conversation: &'a str,
    /// The sender's id for it.
    pub msg_id: &'a str,
    /// The sender's username.
    pub from: &'a str,
    /// The recipient's username, in a private conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<&'a str>,
    /// The group, in a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_id: Option<GroupId>,
    /// The text; empty when recalled.
    pub content: &'a str,
    /// When it was committed, milliseconds since the Unix epoch.
    pub created_at: i64,
    /// Present and true when recalled.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub recalled: bool,
    /// When it was last edited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<i64>,
}

/// An entry of a conversation's log that is not a message: recalls, edits, membership.
#[derive(Clone, Debug, Serialize)]
pub struct EventFrame<'a> {
    /// Always 5.
    #[serde(rename = "type")]
    pub kind: i64,
    /// `recalled`, `group_joined`, …
    pub event: &'a str,
    /// The conversation's key.
    pub conversation: &'a str,
    /// The group, in a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_id: Option<GroupId>,
    /// Its place in the conversation's log.
    pub seq: Seq,
    /// The entry's id.
    pub id: i64,
    /// Who did it.
    pub from: &'a str,
    /// Whom it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<&'a str>,
    /// Which entry it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_seq: Option<Seq>,
    /// Which message it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_id: Option<i64>,
    /// When, milliseconds since the Unix epoch.
    pub created_at: i64,
}

#[derive(Serialize)]
struct Ack<'a> {
    #[serde(rename = "type")]
    kind: i64,
    msg_id: &'a str,
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<Seq>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

/// What an ACK says.
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

fn json<T: Serialize>(frame: &T) -> String {
    // Serialising these plain structs cannot fail; an empty object would be ignored by clients.
    serde_json::to_string(frame).unwrap_or_else(|_| String::from("{}"))
}

impl MessageFrame<'_> {
    /// The frame's text.
    pub fn encode(&self) -> String {
        json(self)
    }
}

impl EventFrame<'_> {
    /// The frame's text.
    pub fn encode(&self) -> String {
        json(self)
    }
}

/// The frame type of messages of a conversation.
pub fn message_kind(key: ConversationKey) -> i64 {
    match key {
        ConversationKey::Direct(..) => kind::PRIVATE,
        ConversationKey::Group(_) => kind::GROUP,
    }
}

/// The answer to a client's heartbeat.
pub fn received(msg_id: &str) -> String {
    let ack = Ack {
        kind: kind::ACK,
        msg_id,
        status: "received",
        id: None,
        seq: None,
        reason: None,
        message: None,
    };
    json(&ack)
}

/// The ACK of a committed message.
pub fn committed(msg_id: &str, status: AckStatus, id: i64, seq: Seq) -> String {
    let ack = Ack {
        kind: kind::ACK,
        msg_id,
        status: status.as_str(),
        id: Some(id),
        seq: Some(seq),
        reason: None,
        message: None,
    };
    json(&ack)
}

/// The ACK of a refused message.
pub fn failed(msg_id: &str, reason: ErrorCode, message: &str) -> String {
    let ack = Ack {
        kind: kind::ACK,
        msg_id,
        status: "failed",
        id: None,
        seq: None,
        reason: Some(reason.as_str()),
        message: Some(message),
    };
    json(&ack)
}

/// The server's life sign after silence.
pub fn ping() -> String {
    r#"{"type":1,"msg_id":"ping"}"#.to_owned()
}

/// Sent before a connection is closed because a newer one took its place or its token stopped working.
pub fn kicked(reason: &str) -> String {
    json(&serde_json::json!({"type": kind::SYSTEM, "event": "kicked", "reason": reason}))
}

/// Sent before a draining node closes a connection.
pub fn drain(reconnect_in_ms: u64) -> String {
    json(
        &serde_json::json!({"type": kind::SYSTEM, "event": "drain", "reconnect_in_ms": reconnect_in_ms}),
    )
}

/// A read receipt for the other side.
pub fn read(conversation: &str, from: &str, seq: Seq) -> String {
    json(&serde_json::json!({
        "type": kind::SYSTEM, "event": "read", "conversation": conversation, "from": from, "seq": seq
    }))
}

/// One conversation of a `gap`.
#[derive(Clone, Debug, Serialize)]
pub struct Gap {
    /// The conversation's key.
    pub conversation: String,
    /// Entries behind this one were not pushed.
    pub after: Seq,
    /// The conversation's head.
    pub last_seq: Seq,
}

/// Pushes may have been missed: pull from the cursor.
pub fn gap(conversations: &[Gap]) -> String {
    json(&serde_json::json!({"type": kind::SYSTEM, "event": "gap", "conversations": conversations}))
}

/// Somebody is typing.
pub fn typing(from: &str, group_id: Option<GroupId>) -> String {
    match group_id {
        Some(id) => json(&serde_json::json!({"type": kind::TYPING, "from": from, "group_id": id})),
        None => json(&serde_json::json!({"type": kind::TYPING, "from": from})),
    }
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
