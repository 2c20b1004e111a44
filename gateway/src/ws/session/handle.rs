//! What the rest of the gateway holds of a connection.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::body::Bytes;
use lingxi_bus::Replier;
use lingxi_domain::{Seq, UserId, limits};
use lingxi_im::Identity;
use lingxi_proto::bus::{CursorMove, PushFrame};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::inner::{Inner, Stage};
use super::waiting::{Outgoing, Syncing};
use crate::ws::close::Close;
use crate::ws::queues::Queues;
use crate::ws::watermark::{Watermark, Wrote};

/// Stretches that may wait for a Ping beside the present ones.
const STRETCHES: usize = 1024;

/// One authenticated connection.
pub(crate) struct Session {
    pub(crate) connection_id: i64,
    pub(crate) user_id: UserId,
    pub(crate) username: String,
    pub(crate) token_version: i64,
    /// When its token ends, milliseconds since the Unix epoch.
    pub(crate) expires_at: i64,
    pub(super) inner: Mutex<Inner>,
    /// Whether it stands in the queue for a round from the store.
    pub(super) in_resync_queue: AtomicBool,
    /// Whether its rounds take so long that others are not to wait for them.
    pub(super) is_heavy: AtomicBool,
    /// Whom its user may see may have changed: whom it watches is judged again.
    pub(crate) sight_changed: AtomicBool,
    /// Something waits for the socket's task.
    pub(crate) wake: Notify,
}

impl Session {
    /// A session that has yet to sync; what waits for it is paid from `queues`.
    pub(crate) fn new(connection_id: i64, identity: Identity, queues: &Arc<Queues>) -> Self {
        let Identity {
            user_id,
            username,
            version,
            expires_at,
            ..
        } = identity;
        Self {
            connection_id,
            user_id,
            username,
            token_version: version,
            expires_at,
            inner: Mutex::new(Inner::new(queues.clone())),
            in_resync_queue: AtomicBool::new(false),
            is_heavy: AtomicBool::new(false),
            sight_changed: AtomicBool::new(false),
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
        inner.drop_waiting();
        inner.stopped_writing();
    }

    /// Closes it for the room that its queue takes, and gives that room back.
    pub(in crate::ws) fn overflow(&self) {
        let mut inner = self.inner.lock();
        inner.too_slow();
        inner.drop_waiting();
        drop(inner);
        self.wake.notify_one();
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

    /// A frame from the bus. Returns true if entries are missing before it, so that a round
    /// from the store is due.
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

    /// What waits, or as much of it as is written at once, for the socket's task to write. What it returns counts as
    /// written when it is asked for more: a Ping that is sent after that covers it. `None` when nothing waits.
    pub(crate) fn take(&self) -> Option<VecDeque<Outgoing>> {
        let mut inner = self.inner.lock();
        inner.stopped_writing();
        let taken = inner.begin_writing()?;
        let Inner {
            watermarks,
            touched,
            ended,
            ..
        } = &mut *inner;
        for (conversation, seq) in taken.iter().filter_map(|o| o.entry.as_ref()) {
            let Some(watermark) = watermarks.get_mut(conversation) else {
                continue;
            };
            match watermark.wrote(*seq) {
                Wrote::First => touched.push(conversation.clone()),
                Wrote::Apart(from, to) if ended.len() < STRETCHES => {
                    ended.push(cursor_move(self.user_id, conversation, from, to))
                }
                // Unconfirmed, so that it comes once more.
                Wrote::Apart(..) | Wrote::More => {}
            }
        }
        Some(taken)
    }

    /// Whether its socket has gone or is being closed, so that nothing can be brought any more.
    pub(in crate::ws) fn has_ended(&self) -> bool {
        let inner = self.inner.lock();
        inner.gone || inner.close.is_some()
    }

    /// Bytes that may still be queued for what was read from the store.
    pub(crate) fn round_room(&self) -> usize {
        limits::ROUND_BYTES.saturating_sub(self.inner.lock().queued_bytes)
    }

    /// Bytes that wait for the socket, for a round, or are being written.
    pub(in crate::ws) fn waiting_bytes(&self) -> usize {
        self.inner.lock().waiting_bytes()
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
                .watermarks
                .get_mut(&conversation)
                .and_then(Watermark::take_unpinged)
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
            if let Some(watermark) = inner.watermarks.get_mut(&confirmed.conversation) {
                watermark.confirm(confirmed.to);
            }
        }
    }
}

pub(super) fn cursor_move(user_id: UserId, conversation: &str, from: Seq, to: Seq) -> CursorMove {
    CursorMove {
        conversation: conversation.to_owned(),
        user_id,
        from,
        to,
    }
}
