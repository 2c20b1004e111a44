//! What happened, as the clients saw it.

use std::collections::BTreeMap;

use lingxi_domain::message_id;
use serde_json::Value;

/// Who sent it, and its `msg_id`: with the conversation (a sender uses each only once) a message's identity.
pub(crate) type Key = (String, String);

/// An entry of a conversation's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) seq: u64,
    pub(crate) id: u64,
    pub(crate) from: String,
    /// Empty for an entry that is no message.
    pub(crate) msg_id: String,
    /// The content, or the name of the event. Empty when it is not known: the message was recalled meanwhile.
    pub(crate) content: String,
    /// Whom an event is about; empty where it is about nobody.
    pub(crate) target: String,
}

/// Between a message's first text and the number of its edit.
pub(crate) const EDIT: char = '✎';

impl Entry {
    /// The text that it was sent with, whatever it was edited to.
    pub(super) fn first_text(&self) -> &str {
        self.content.split(EDIT).next().unwrap_or_default()
    }

    /// Which edit its text is from; 0 for none.
    pub(super) fn edit(&self) -> u64 {
        let number = self.content.split(EDIT).nth(1);
        number.map_or(0, |number| number.parse().expect("the number of an edit"))
    }

    /// When it was written, in milliseconds since the Unix epoch: ids rise with time.
    pub(crate) fn written_ms(&self) -> u64 {
        (self.id >> 12) + u64::try_from(message_id::EPOCH_MS).expect("after 1970")
    }

    /// Whether both can be the same entry, perhaps recalled or edited between the two looks.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        let same = |entry: &Self| (entry.seq, entry.id);
        same(self) == same(other)
            && self.from == other.from
            && self.msg_id == other.msg_id
            && self.target == other.target
            && (self.first_text() == other.first_text()
                || self.content.is_empty()
                || other.content.is_empty())
    }
}

/// The entry in a pushed frame or a history row.
pub(crate) fn entry_of(frame: &Value) -> Entry {
    let text = |field: &str| frame[field].as_str().unwrap_or_default().to_owned();
    let number = |field: &str| {
        frame[field]
            .as_u64()
            .unwrap_or_else(|| panic!("no {field}: {frame}"))
    };
    Entry {
        seq: number("seq"),
        id: number("id"),
        from: text("from"),
        msg_id: text("msg_id"),
        content: if frame["type"] == 5 {
            text("event")
        } else {
            text("content")
        },
        target: text("target"),
    }
}

/// An ACK `stored` or `delivered`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ack {
    pub(crate) conversation: String,
    pub(crate) sender: String,
    pub(crate) msg_id: String,
    pub(crate) id: u64,
    pub(crate) seq: u64,
}

/// An entry that reached a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) reader: String,
    pub(crate) conversation: String,
    /// On which of its connections it was pushed; none: it was pulled after a `gap`.
    pub(crate) connection: Option<u64>,
    pub(crate) entry: Entry,
}

/// The whole log of a conversation, as one member, or the database itself, reads it in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Log {
    pub(crate) reader: String,
    pub(crate) conversation: String,
    pub(crate) entries: Vec<Entry>,
}

/// Entries that a reader must have received by the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owed {
    pub(crate) reader: String,
    pub(crate) conversation: String,
    pub(crate) seqs: Vec<u64>,
}

/// A look at a member's cursors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CursorSeen {
    pub(crate) reader: String,
    pub(crate) conversation: String,
    /// How many entries had been received, by all, when the answer was there.
    pub(crate) received: usize,
    /// The first entry that the member may see.
    pub(crate) joined: u64,
    pub(crate) delivered: u64,
    pub(crate) read: u64,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The server sent a close frame with this code.
    Closed(u16),
    /// It was cut, or this side closed it.
    Cut,
}

/// One connection of a user. Times are milliseconds since the recording began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Connection {
    pub(crate) user: String,
    /// In the order in which they were begun.
    pub(crate) number: u64,
    pub(crate) begun: u64,
    /// When it was answered for the first time; none: given up before that. It may have been registered all the same.
    pub(crate) opened: Option<u64>,
    pub(crate) ended: Option<(u64, Ended)>,
}

/// A question to the assistant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunSeen {
    pub(crate) id: String,
    /// The terminal events that its asker saw, over all its resumptions.
    pub(crate) ends: Vec<String>,
    /// The text as its asker put it together.
    pub(crate) text: String,
    /// The terminal events and the text of a replay from the start.
    pub(crate) replayed: (Vec<String>, String),
}

/// A tool call with an effect that can be counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) what: String,
    /// Whether its run said that it was done.
    pub(crate) claimed: bool,
    pub(crate) count: usize,
}

/// All of it, in the order in which it happened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recording {
    /// Every message that was ever put on a wire, with its content.
    pub(crate) sent: BTreeMap<Key, String>,
    pub(crate) acks: Vec<Ack>,
    /// ACKs `failed`, as they came. None is expected.
    pub(crate) refused: Vec<String>,
    pub(crate) received: Vec<Received>,
    pub(crate) logs: Vec<Log>,
    pub(crate) owed: Vec<Owed>,
    /// Edits that were answered: of which message, and the number of the edit. Those of a message were made one after the
    /// other.
    pub(crate) edits: Vec<(u64, u64)>,
    /// Messages that had no ACK in the end, though all faults were over.
    pub(crate) unanswered: Vec<Key>,
    /// In the order in which they were made.
    pub(crate) cursors: Vec<CursorSeen>,
    pub(crate) connections: Vec<Connection>,
    /// When the recording began, in milliseconds since the Unix epoch.
    pub(crate) epoch_ms: u64,
    /// From when to when (milliseconds) something was broken, so that announcements may be late.
    pub(crate) unrest: Vec<(u64, u64)>,
    pub(crate) runs: Vec<RunSeen>,
    /// Runs whose rows are not finished.
    pub(crate) unfinished: Vec<String>,
    pub(crate) effects: Vec<Effect>,
    /// Whatever else went wrong, found while it happened: its name, and what is known of it.
    pub(crate) incidents: Vec<(&'static str, String)>,
}
