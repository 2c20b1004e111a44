//! Which entries of which conversations were shown, and which are missing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::chat::frame::Frame;

/// Conversations that are kept in mind. Of others the server's own watermark says what is missing.
const MOST_CONVERSATIONS: usize = 5_000;
/// Entries of one conversation that wait while those before them are fetched. What is over it is fetched too.
const MOST_WAITING: usize = 500;
/// Conversations in one sync, by the contract.
const SYNC: usize = 200;

/// How far each conversation was shown. Decides and does no I/O.
#[derive(Debug, Default)]
pub(super) struct Cursors {
    of: BTreeMap<String, Cursor>,
}

#[derive(Debug, Default)]
struct Cursor {
    /// All that there is up to here was shown.
    seq: u64,
    /// The first one that was ever shown here. Nobody knows yet whether those before it were.
    first: u64,
    /// Shown all the same, from before the first.
    early: BTreeSet<u64>,
    /// Entries that came while those before them are fetched.
    waiting: Option<BTreeMap<u64, Frame>>,
    /// There are entries up to here, which may neither have been shown nor wait.
    end: u64,
}

/// What an entry or a page leads to.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Taken {
    /// To be shown, in this order.
    pub(super) show: Vec<Frame>,
    /// To be fetched.
    pub(super) pull: Option<Pull>,
}

/// The entries of `conversation` behind `after`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pull {
    pub(super) conversation: String,
    pub(super) after: u64,
}

/// The conversation and the place of a frame that is an entry of a log.
pub(super) fn place(frame: &Value) -> Option<(&str, u64)> {
    let entry = match frame["type"].as_i64() {
        Some(2 | 4) => true,
        // Those about messages and members have an id; what people read has a `seq` of theirs, and none.
        Some(5) => frame["id"].is_u64(),
        _ => false,
    };
    let place = (frame["conversation"].as_str()?, frame["seq"].as_u64()?);
    entry.then_some(place)
}

impl Cursors {
    /// Takes an entry that was pushed. What is no entry is to be shown.
    pub(super) fn take(&mut self, frame: Frame) -> Taken {
        let Some((conversation, seq)) = place(&frame) else {
            return Taken::show(vec![frame]);
        };
        let conversation = conversation.to_owned();
        self.make_room(&conversation);
        let begins = !self.of.contains_key(&conversation);
        let cursor = self.of.entry(conversation.clone()).or_default();
        if begins {
            (cursor.seq, cursor.first) = (seq, seq);
            return Taken::show(vec![frame]);
        }
        if seq < cursor.first && cursor.early.len() < MOST_WAITING && cursor.early.insert(seq) {
            return Taken::show(vec![frame]);
        }
        if seq <= cursor.seq {
            return Taken::default();
        }
        if let Some(waiting) = &mut cursor.waiting {
            if waiting.len() < MOST_WAITING {
                waiting.insert(seq, frame);
            } else {
                cursor.end = cursor.end.max(seq);
            }
            return Taken::default();
        }
        if seq == cursor.seq + 1 {
            cursor.seq = seq;
            return Taken::show(vec![frame]);
        }
        cursor.waiting = Some(BTreeMap::from([(seq, frame)]));
        Taken::pull(conversation, cursor.seq)
    }

    /// Takes a `gap` of one conversation: what is behind `after`, up to `last`, was not pushed.
    pub(super) fn gap(&mut self, conversation: &str, after: u64, last: u64) -> Option<Pull> {
        self.make_room(conversation);
        let cursor = self
            .of
            .entry(conversation.to_owned())
            .or_insert_with(|| Cursor {
                seq: after,
                first: after,
                ..Cursor::default()
            });
        cursor.end = cursor.end.max(last);
        // What is being fetched may have been read before the last of these were there; `pulled` sees to them.
        if cursor.seq >= last || cursor.waiting.is_some() {
            return None;
        }
        cursor.waiting = Some(BTreeMap::new());
        Taken::pull(conversation.to_owned(), cursor.seq).pull
    }

    /// Takes a page of what was to be fetched. It says what there is for this user to see: a hole in it is none.
    pub(super) fn pulled(&mut self, pull: &Pull, page: Vec<Frame>, has_more: bool) -> Taken {
        let Some(cursor) = self.of.get_mut(&pull.conversation) else {
            return Taken::show(page);
        };
        let mut show = Vec::new();
        for entry in page {
            let seq = entry["seq"].as_u64().unwrap_or_default();
            if seq > cursor.seq {
                cursor.seq = seq;
                show.push(entry);
            }
        }
        if has_more && cursor.seq > pull.after {
            let pull = Taken::pull(pull.conversation.clone(), cursor.seq).pull;
            return Taken { show, pull };
        }
        // All of it was there before the last page was read. What is missing behind that is another hole, unless nothing
        // came of this one.
        let stuck = cursor.seq == pull.after;
        let mut waiting = cursor.waiting.take().unwrap_or_default();
        while let Some((seq, entry)) = waiting.pop_first() {
            if seq == cursor.seq + 1 || stuck && seq > cursor.seq {
                cursor.seq = seq;
                show.push(entry);
            } else if seq > cursor.seq {
                waiting.insert(seq, entry);
                cursor.waiting = Some(waiting);
                let pull = Taken::pull(pull.conversation.clone(), cursor.seq).pull;
                return Taken { show, pull };
            }
        }
        if cursor.end > cursor.seq && cursor.seq > pull.after {
            cursor.waiting = Some(BTreeMap::new());
            let pull = Taken::pull(pull.conversation.clone(), cursor.seq).pull;
            return Taken { show, pull };
        }
        // What no page brings is not this user's to see.
        cursor.end = cursor.seq;
        Taken { show, pull: None }
    }

    /// The frames that ask a server for everything that was not shown.
    pub(super) fn sync(&self) -> Vec<Value> {
        let all: Vec<_> = self.of.iter().collect();
        let frame = |part: &[(&String, &Cursor)]| {
            let cursors: Map<String, Value> = part
                .iter()
                .map(|(key, cursor)| ((*key).clone(), cursor.seq.into()))
                .collect();
            json!({"type": 7, "cursors": cursors})
        };
        all.chunks(SYNC).map(frame).collect()
    }

    /// How far each conversation was shown.
    pub(super) fn shown(&self) -> impl Iterator<Item = (&String, u64)> {
        self.of.iter().map(|(key, cursor)| (key, cursor.seq))
    }

    fn make_room(&mut self, conversation: &str) {
        if self.of.len() >= MOST_CONVERSATIONS && !self.of.contains_key(conversation) {
            let idle = self.of.iter().find(|(_, c)| c.waiting.is_none());
            if let Some(key) = idle.map(|(key, _)| key.clone()) {
                self.of.remove(&key);
            }
        }
    }
}

impl Taken {
    fn show(show: Vec<Frame>) -> Self {
        Self { show, pull: None }
    }

    fn pull(conversation: String, after: u64) -> Self {
        Self {
            show: Vec::new(),
            pull: Some(Pull {
                conversation,
                after,
            }),
        }
    }
}
