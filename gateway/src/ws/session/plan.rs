//! What one round from the store is to bring a session.

use std::collections::HashMap;

use lingxi_domain::Seq;
use lingxi_domain::frame::server::Gap;
use lingxi_proto::bus::CursorMove;

/// What a session needs from the store to catch up.
#[derive(Default)]
pub(crate) struct Plan {
    /// Conversation, first and last entry to read.
    pub(crate) ranges: Vec<(String, Seq, Seq)>,
    /// Of those, the ones that the user left, and the entry of that: what was edited behind it is not for them.
    pub(crate) left: HashMap<String, Seq>,
    /// Told to the client behind the entries.
    pub(super) gaps: Vec<Gap>,
    /// Conversations of which not everything is pushed, and where pushing goes on.
    pub(super) restarts: Vec<(String, Seq)>,
    /// Cursor moves to be said again: their first saying was refused or lost.
    pub(crate) moves: Vec<CursorMove>,
    /// Whether nothing is left for another round.
    pub(super) complete: bool,
}

impl Plan {
    /// Not everything planned fits: what comes behind it is left to another round.
    pub(super) fn leave_rest(&mut self) {
        self.complete = false;
        let cut: Vec<String> = self
            .restarts
            .drain(..)
            .map(|(conversation, _)| conversation)
            .collect();
        self.gaps.retain(|gap| !cut.contains(&gap.conversation));
    }
}
