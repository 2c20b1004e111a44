//! What waits in a session.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::body::Bytes;
use lingxi_bus::Replier;
use lingxi_domain::{Seq, limits};
use lingxi_proto::bus::PushFrame;

/// Live entries that wait for a sync.
const HELD: usize = 256;
/// Their bytes: with a round from the store they still fit into the queue.
const HELD_BYTES: usize = (limits::SESSION_QUEUE_BYTES - limits::ROUND_BYTES) / 2;

/// A frame that waits for the socket.
pub(crate) struct Outgoing {
    pub(crate) json: Bytes,
    /// The conversation and place, if it is an entry.
    pub(super) entry: Option<(Arc<str>, Seq)>,
    /// Answered when the frame was written.
    pub(crate) written: Option<Replier>,
}

/// A live entry that waits for a sync.
pub(super) struct Held {
    pub(super) frame: PushFrame,
    pub(super) written: Option<Replier>,
}

/// What a session keeps until a round from the store has been applied.
#[derive(Default)]
pub(super) struct Syncing {
    /// Live entries, in the order in which they came.
    pub(super) held: VecDeque<Held>,
    pub(super) held_bytes: usize,
    /// Whether more came than can wait. They are in the store, and nothing else tells that they are missing: those that
    /// wait have no hole.
    pub(super) overflowed: bool,
    /// Whether a round is due when the socket's task has written what is queued.
    pub(super) due: bool,
}

impl Syncing {
    /// Returns true if another live entry of so many bytes may wait.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.held.len() < HELD && self.held_bytes + bytes <= HELD_BYTES
    }

    /// Keeps a live entry until the merge; `None` for one that could not wait.
    pub(super) fn hold(&mut self, entry: Option<Held>) {
        match entry {
            Some(entry) => {
                self.held_bytes += entry.frame.json.len();
                self.held.push_back(entry);
            }
            None => self.overflowed = true,
        }
    }
}
