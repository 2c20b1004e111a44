//! What a session's lock protects.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use lingxi_proto::bus::CursorMove;
use lingxi_runtime::budget::Hold;

use super::waiting::{Outgoing, Syncing};
use super::watermarks::Watermarks;
use crate::ws::close::Close;
use crate::ws::queues::Queues;

/// Bytes that are taken out of a queue to be written together. What is left in it can be dropped when others need the room.
const WRITTEN_AT_ONCE: usize = 256 * 1024;

pub(super) enum Stage {
    /// A round from the store is under way or due; live entries wait.
    Syncing(Syncing),
    Live,
}

pub(super) struct Inner {
    pub(super) queue: VecDeque<Outgoing>,
    pub(super) queued_bytes: usize,
    /// Bytes that the socket's task is writing.
    writing: usize,
    /// Since when it has been; `None` while it is not writing.
    pub(super) writing_since: Option<Instant>,
    pub(super) stage: Stage,
    pub(super) watermarks: Watermarks,
    /// Conversations written to since the last Ping.
    pub(super) touched: Vec<Arc<str>>,
    /// Stretches that were written, and left behind, before a Ping covered them.
    pub(super) ended: Vec<CursorMove>,
    /// Set once; the socket's task closes.
    pub(super) close: Option<Close>,
    /// The socket has gone: nothing is queued any more.
    pub(super) gone: bool,
    queues: Arc<Queues>,
    /// All bytes that wait or are being written.
    hold: Option<Hold>,
}

impl Inner {
    pub(super) fn new(queues: Arc<Queues>) -> Self {
        Self {
            queue: VecDeque::new(),
            queued_bytes: 0,
            writing: 0,
            writing_since: None,
            stage: Stage::Syncing(Syncing::default()),
            watermarks: Watermarks::default(),
            touched: Vec::new(),
            ended: Vec::new(),
            close: None,
            gone: false,
            hold: queues.hold(),
            queues,
        }
    }

    /// Takes these bytes from the process's budget; returns true if they were there.
    pub(super) fn pay(&mut self, bytes: usize) -> bool {
        let paid = self.hold.as_mut().is_some_and(|hold| hold.grow(bytes));
        self.queues.grown();
        paid
    }

    /// Gives bytes back that wait no more.
    pub(super) fn give_back(&mut self, bytes: usize) {
        if let Some(hold) = &mut self.hold {
            hold.shrink(bytes);
        }
    }

    pub(super) fn waiting_bytes(&self) -> usize {
        self.hold.as_ref().map_or(0, Hold::bytes)
    }

    /// The client does not read what it is sent, or there is no room for what it has yet to read.
    pub(super) fn too_slow(&mut self) {
        metrics::counter!("lingxi_slow_consumers_total").increment(1);
        self.close.get_or_insert(Close::TooSlow);
    }

    /// Takes out what is to be written next; `None` when nothing waits.
    pub(super) fn begin_writing(&mut self) -> Option<VecDeque<Outgoing>> {
        let first = self.queue.front()?.json.len();
        let taken = if self.queued_bytes <= WRITTEN_AT_ONCE {
            std::mem::take(&mut self.queue)
        } else {
            let mut bytes = first;
            let more = self.queue.iter().skip(1).take_while(|next| {
                bytes += next.json.len();
                bytes <= WRITTEN_AT_ONCE
            });
            let count = 1 + more.count();
            self.queue.drain(..count).collect()
        };
        self.writing = taken.iter().map(|outgoing| outgoing.json.len()).sum();
        self.queued_bytes -= self.writing;
        self.writing_since = Some(Instant::now());
        Some(taken)
    }

    /// What was taken out has been written.
    pub(super) fn stopped_writing(&mut self) {
        let written = std::mem::take(&mut self.writing);
        self.give_back(written);
        self.writing_since = None;
    }

    /// Drops what waits; what is being written stays.
    pub(super) fn drop_waiting(&mut self) {
        self.queue = VecDeque::new();
        self.queued_bytes = 0;
        self.stage = Stage::Live;
        let waited = self.waiting_bytes().saturating_sub(self.writing);
        self.give_back(waited);
    }
}
