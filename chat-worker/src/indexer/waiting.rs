//! What is to go into the index.

use std::collections::HashMap;

use lingxi_domain::Seq;
use parking_lot::Mutex;
use tokio::time::Instant;

/// Texts that wait, in bytes. Those beyond are read from the store when their turn comes.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// Conversations that wait. Those beyond are found by the walk.
const MOST_CONVERSATIONS: usize = 100_000;

/// Messages of one conversation, in order; without any, they are read from the store.
pub(super) type Texts = Vec<(Seq, String)>;

#[derive(Default)]
struct Held {
    conversations: HashMap<String, Texts>,
    bytes: usize,
    since: Option<Instant>,
}

/// The texts that wait, by conversation.
#[derive(Default)]
pub(crate) struct Waiting(Mutex<Held>);

impl Waiting {
    /// A message was committed.
    pub(crate) fn put(&self, conversation: &str, seq: Seq, text: &str) {
        let mut held = self.0.lock();
        let fits = held.bytes + text.len() <= MOST_BYTES;
        if !held.conversations.contains_key(conversation) {
            if held.conversations.len() >= MOST_CONVERSATIONS {
                return;
            }
            held.conversations
                .insert(conversation.to_owned(), Vec::new());
            held.since.get_or_insert_with(Instant::now);
        }
        if fits && let Some(texts) = held.conversations.get_mut(conversation) {
            texts.push((seq, text.to_owned()));
            held.bytes += text.len();
        }
    }

    /// Everything, and since when the first of it has waited.
    pub(super) fn take(&self) -> (HashMap<String, Texts>, Option<Instant>) {
        let held = std::mem::take(&mut *self.0.lock());
        (held.conversations, held.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_remembered_without_its_text() {
        let waiting = Waiting::default();
        let text = "x".repeat(MOST_BYTES / 2);
        for (seq, key) in [(1, "a"), (2, "a"), (3, "a"), (1, "b")] {
            waiting.put(key, seq, &text);
        }
        let (taken, since) = waiting.take();
        let seqs = |key: &str| taken[key].iter().map(|(seq, _)| *seq).collect::<Vec<_>>();
        assert_eq!((seqs("a"), seqs("b")), (vec![1, 2], vec![]));
        assert!(since.is_some());
        assert!(waiting.take().0.is_empty());
    }
}
