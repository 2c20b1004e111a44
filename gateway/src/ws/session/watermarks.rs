//! How far a session has each conversation, of those that it has to know.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use lingxi_domain::Seq;

use crate::ws::watermark::Watermark;

/// Conversations that a session knows. Those with nothing to be confirmed are forgotten before there are more.
pub(super) const MOST: usize = 1024;
/// After a look for some to forget that found none, so many are turned away before the next.
const TURNED_AWAY: u16 = 256;

/// A bounded map of watermarks.
#[derive(Default)]
pub(super) struct Watermarks {
    of: HashMap<Arc<str>, Watermark>,
    turn_away: u16,
}

impl Watermarks {
    pub(super) fn get(&self, conversation: &str) -> Option<&Watermark> {
        self.of.get(conversation)
    }

    pub(super) fn get_mut(&mut self, conversation: &str) -> Option<&mut Watermark> {
        self.of.get_mut(conversation)
    }

    /// The session's own copy of the key.
    pub(super) fn key(&self, conversation: &str) -> Option<Arc<str>> {
        self.of
            .get_key_value(conversation)
            .map(|(key, _)| key.clone())
    }

    /// Keeps another one; `None` when there is no room. Then the conversation is served, and nothing of it is confirmed
    /// by a Pong: a later round brings it again.
    pub(super) fn insert(&mut self, conversation: &str, watermark: Watermark) -> Option<Arc<str>> {
        if !self.has_room() {
            return None;
        }
        let key: Arc<str> = conversation.into();
        self.of.insert(key.clone(), watermark);
        Some(key)
    }

    /// Forgets those behind a gap which the client has made up for: they are not among its unconfirmed conversations any
    /// more.
    pub(super) fn forget_made_up<'h>(&mut self, unconfirmed: impl Iterator<Item = &'h str>) {
        if self.of.len() < MOST / 2 {
            return;
        }
        let unconfirmed: HashSet<&str> = unconfirmed.collect();
        self.of
            .retain(|key, watermark| !watermark.is_empty() || unconfirmed.contains(&**key));
        self.turn_away = 0;
    }

    fn has_room(&mut self) -> bool {
        if self.of.len() < MOST {
            return true;
        }
        if let Some(left) = self.turn_away.checked_sub(1) {
            self.turn_away = left;
            return false;
        }
        self.of.retain(|_, watermark| !watermark.is_settled());
        let found = self.of.len() < MOST;
        if !found {
            self.turn_away = TURNED_AWAY;
        }
        found
    }

    /// The last entry queued of a conversation that is known.
    pub(super) fn sent(&self, conversation: &str) -> Option<Seq> {
        self.get(conversation).map(Watermark::sent)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.of.len()
    }
}
