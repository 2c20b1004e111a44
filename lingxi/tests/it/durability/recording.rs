//! What happened, as the clients saw it.

use std::collections::BTreeMap;

/// Who sent it, and its `msg_id`: with the conversation (a sender here has only one) a message's identity.
pub(super) type Key = (String, String);

/// An entry of a conversation's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) seq: u64,
    pub(super) id: u64,
    pub(super) from: String,
    /// Empty for an entry that is no message.
    pub(super) msg_id: String,
    /// The content, or the name of the event.
    pub(super) content: String,
}

/// An ACK `stored` or `delivered`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ack {
    pub(super) conversation: String,
    pub(super) sender: String,
    pub(super) msg_id: String,
    pub(super) id: u64,
    pub(super) seq: u64,
}

/// An entry that reached a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) reader: String,
    pub(super) conversation: String,
    /// On which of its connections it was pushed; none: it was pulled after a `gap`.
    pub(super) connection: Option<u64>,
    pub(super) entry: Entry,
}

/// The whole log of a conversation, as one member reads it in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Log {
    pub(super) reader: String,
    pub(super) conversation: String,
    pub(super) entries: Vec<Entry>,
}

/// All of it, in the order in which it happened.
#[derive(Debug, Clone, Default)]
pub(super) struct Recording {
    /// Every message that was ever put on a wire, with its content.
    pub(super) sent: BTreeMap<Key, String>,
    pub(super) acks: Vec<Ack>,
    /// ACKs `failed`, as they came. None is expected.
    pub(super) refused: Vec<String>,
    pub(super) received: Vec<Received>,
    pub(super) logs: Vec<Log>,
}
