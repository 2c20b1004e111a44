//! One authenticated connection: what waits for its socket, and where it stands in each conversation.
//!
//! Frames come from the bus ([`Session::push`]) and from the store ([`Session::apply_round`]); the socket's task takes
//! them out ([`Session::take`]). While a session is *syncing*, live entries wait in a bounded buffer; they are merged by
//! (conversation, seq) when a round from the store found nothing more.

mod plan;
mod queue;
mod rounds;
mod waiting;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use axum::body::Bytes;
use lingxi_bus::Replier;
use lingxi_domain::{Seq, UserId};
use lingxi_proto::bus::{CursorMove, PushFrame};
use parking_lot::Mutex;
use tokio::sync::Notify;

pub(crate) use plan::Plan;
pub(crate) use waiting::Outgoing;
use waiting::Syncing;

use super::close::Close;
use super::position::{Position, Wrote};

enum Stage {
    /// A round from the store is under way or due; live entries wait.
    Syncing(Syncing),
    Live,
}

struct Inner {
    queue: VecDeque<Outgoing>,
    queued_bytes: usize,
    /// Since when the socket's task has been writing what it took last; `None` while it is not writing.
    writing_since: Option<Instant>,
    stage: Stage,
    positions: HashMap<Arc<str>, Position>,
    /// Conversations written to since the last Ping.
    touched: Vec<Arc<str>>,
    /// Stretches that were written, and left behind, before a Ping covered them.
    ended: Vec<CursorMove>,
    /// Set once; the socket's task closes.
    close: Option<Close>,
    /// The socket has gone: nothing is queued any more.
    gone: bool,
}

/// One authenticated connection.
pub(crate) struct Session {
    pub(crate) connection_id: i64,
    pub(crate) user_id: UserId,
    pub(crate) username: String,
    pub(crate) token_version: i64,
    /// When its token ends, milliseconds since the Unix epoch.
    pub(crate) expires_at: i64,
    inner: Mutex<Inner>,
    /// Whether it stands in the queue for a round from the store.
    in_sync_queue: AtomicBool,
    /// Something waits for the socket's task.
    pub(crate) wake: Notify,
}

impl Session {
    /// A session that has yet to sync.
    pub(crate) fn new(
        connection_id: i64,
        user_id: UserId,
        username: String,
        token_version: i64,
        expires_at: i64,
    ) -> Self {
        let inner = Inner {
            queue: VecDeque::new(),
            queued_bytes: 0,
            writing_since: None,
            stage: Stage::Syncing(Syncing::default()),
            positions: HashMap::new(),
            touched: Vec::new(),
            ended: Vec::new(),
            close: None,
            gone: false,
        };
        Self {
            connection_id,
            user_id,
            username,
            token_version,
            expires_at,
            inner: Mutex::new(inner),
            in_sync_queue: AtomicBool::new(false),
            wake: Notify::new(),
        }
    }

    /// Asks the socket's task to close; the first reason counts.
    pub(crate) fn close(&self, reason: Close) {
        self.inner.lock().close.get_or_insert(reason);
        self.wake.notify_one();
    }

    /// Why the connection is to be closed, if it is.
    pub(crate) fn closing(&self) -> Option<Close> {
        self.inner.lock().close
    }

    /// The socket has gone: whatever waits is dropped, and nothing more is taken.
    pub(crate) fn gone(&self) {
        let mut inner = self.inner.lock();
        inner.gone = true;
        inner.queue = VecDeque::new();
        inner.stage = Stage::Live;
    }

    /// A frame that is no entry of a log.
    pub(crate) fn push_plain(&self, json: impl Into<Bytes>) {
        let mut inner = self.inner.lock();
        inner.enqueue(Outgoing {
            json: json.into(),
            entry: None,
            written: None,
        });
        drop(inner);
        self.wake.notify_one();
    }

    /// A frame from the bus. Answers whether entries are missing before it, so that a round from the store is due.
    pub(crate) fn push(&self, frame: PushFrame, written: Option<Replier>) -> bool {
        let mut inner = self.inner.lock();
        if inner.gone {
            return false;
        }
        let hole = inner.arrive(frame, written);
        let begin_sync = hole && matches!(inner.stage, Stage::Live);
        if begin_sync {
            inner.stage = Stage::Syncing(Syncing::default());
        }
        drop(inner);
        self.wake.notify_one();
        begin_sync
    }

    /// Everything that waits, for the socket's task to write. What it returns counts as written: a Ping that is sent
    /// after it covers it. `None` when nothing waits.
    pub(crate) fn take(&self) -> Option<VecDeque<Outgoing>> {
        let mut inner = self.inner.lock();
        inner.writing_since = None;
        if inner.queue.is_empty() {
            return None;
        }
        inner.writing_since = Some(Instant::now());
        let taken = std::mem::take(&mut inner.queue);
        inner.queued_bytes = 0;
        let inner = &mut *inner;
        for (conversation, seq) in taken.iter().filter_map(|o| o.entry.as_ref()) {
            let Some(position) = inner.positions.get_mut(conversation) else {
                continue;
            };
            match position.wrote(*seq) {
                Wrote::First => inner.touched.push(conversation.clone()),
                Wrote::Apart(from, to) => {
                    inner
                        .ended
                        .push(cursor_move(self.user_id, conversation, from, to))
                }
                Wrote::More => {}
            }
        }
        Some(taken)
    }

    /// Whether its socket has gone or is being closed, so that nothing can be brought any more.
    pub(super) fn has_ended(&self) -> bool {
        let inner = self.inner.lock();
        inner.gone || inner.close.is_some()
    }

    /// Bytes that wait for the socket.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.inner.lock().queued_bytes
    }

    /// Whether anything waits for the socket's task.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.inner.lock().queue.is_empty()
    }

    /// Whether something was written that no Ping covers yet.
    pub(crate) fn wants_ping(&self) -> bool {
        let inner = self.inner.lock();
        !inner.touched.is_empty() || !inner.ended.is_empty()
    }

    /// What a Ping sent now covers.
    pub(crate) fn cover(&self) -> Vec<CursorMove> {
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        let mut moves = std::mem::take(&mut inner.ended);
        for conversation in std::mem::take(&mut inner.touched) {
            if let Some((from, to)) = inner
                .positions
                .get_mut(&conversation)
                .and_then(Position::take_unpinged)
            {
                moves.push(cursor_move(self.user_id, &conversation, from, to));
            }
        }
        moves
    }

    /// The client confirmed these.
    pub(crate) fn confirm(&self, moves: &[CursorMove]) {
        let mut inner = self.inner.lock();
        for confirmed in moves {
            if let Some(position) = inner.positions.get_mut(confirmed.conversation.as_str()) {
                position.confirm(confirmed.to);
            }
        }
    }
}

fn cursor_move(user_id: UserId, conversation: &str, from: Seq, to: Seq) -> CursorMove {
    CursorMove {
        conversation: conversation.to_owned(),
        user_id,
        from,
        to,
    }
}

#[cfg(test)]
mod tests;
