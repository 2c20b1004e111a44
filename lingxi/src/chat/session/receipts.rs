//! What was read, to be said to the server.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

/// Receipts are gathered for so long: of each conversation the last one says it all.
const PAUSE: Duration = Duration::from_millis(250);
/// Receipts that are sent at once. Each counts as a request, of 20 a second.
const AT_ONCE: usize = 3;
/// Conversations of which the last receipt is kept in mind.
const MOST_CONVERSATIONS: usize = 5_000;

/// How far the user has read each conversation. Decides and does no I/O.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    /// Read, and not said on this connection.
    due: BTreeMap<String, u64>,
    said: BTreeMap<String, Said>,
    next_at: Option<Instant>,
}

/// What was said of a conversation.
#[derive(Debug)]
struct Said {
    seq: u64,
    /// The server has it. Before that, a gateway that is killed may lose it.
    kept: bool,
}

impl Receipts {
    /// Takes note of an entry that the user has seen.
    pub(super) fn read(&mut self, conversation: &str, seq: u64, now: Instant) {
        let due = self.due.get(conversation).copied();
        let said = self.said.get(conversation).map(|said| said.seq);
        if due.max(said) < Some(seq) && self.due.len() < MOST_CONVERSATIONS {
            self.due.insert(conversation.to_owned(), seq);
            self.next_at.get_or_insert(now + PAUSE);
        }
    }

    /// The server told how far the user has read.
    pub(super) fn kept(&mut self, conversation: &str, seq: u64) {
        if let Some(said) = self.said.get_mut(conversation) {
            said.kept |= said.seq <= seq;
        }
    }

    /// Whether the server has all of it.
    pub(super) fn all_kept(&self) -> bool {
        self.due.is_empty() && self.said.values().all(|said| said.kept)
    }

    /// Nothing more is gathered: what is due is said now.
    pub(super) fn hurry(&mut self, now: Instant) {
        self.next_at = self.next_at.map(|_| now);
    }

    /// When [`take`](Self::take) is to be asked.
    pub(super) fn due(&self) -> Option<Instant> {
        self.next_at
    }

    /// The frames to send now.
    pub(super) fn take(&mut self, now: Instant) -> Vec<Value> {
        if self.next_at.is_none_or(|at| at > now) {
            return Vec::new();
        }
        let frames = self.frames(AT_ONCE);
        self.next_at = (!self.due.is_empty()).then(|| now + PAUSE);
        frames
    }

    /// The frames of what is left, before the connection is closed.
    pub(super) fn rest(&mut self) -> Vec<Value> {
        self.next_at = None;
        self.frames(10 * AT_ONCE)
    }

    /// There is a new connection: what may be lost with the one before is said again.
    pub(super) fn connected(&mut self, now: Instant) {
        for (conversation, said) in self.said.iter().filter(|(_, said)| !said.kept) {
            self.due.entry(conversation.clone()).or_insert(said.seq);
        }
        self.next_at = (!self.due.is_empty()).then(|| now + PAUSE);
    }

    fn frames(&mut self, most: usize) -> Vec<Value> {
        let mut frames = Vec::new();
        while frames.len() < most
            && let Some((conversation, seq)) = self.due.pop_first()
        {
            frames
                .push(json!({"type": 8, "conversation": conversation, "seq": seq, "kind": "read"}));
            if self.said.len() >= MOST_CONVERSATIONS {
                self.said.pop_first();
            }
            self.said.insert(conversation, Said { seq, kept: false });
        }
        frames
    }
}
