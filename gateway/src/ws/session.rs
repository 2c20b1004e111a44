//! One authenticated connection: what waits for its socket, and where it stands in each conversation.
//!
//! Frames come from the bus ([`Session::push`]) and from the store ([`Session::apply_round`]); the socket's task takes
//! them out ([`Session::take`]). While a session is *syncing*, live entries wait in a bounded buffer; they are merged by
//! (conversation, seq) when a round from the store found nothing more.

mod plan;
mod waiting;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use lingxi_bus::Replier;
use lingxi_domain::frame::server::Gap;
use lingxi_domain::{Seq, UserId, limits};
use lingxi_proto::bus::{CursorMove, PushFrame};
use lingxi_store::UserHead;
use parking_lot::Mutex;
use tokio::sync::Notify;

pub(crate) use plan::Plan;
pub(crate) use waiting::Outgoing;
use waiting::{Held, Syncing};

use super::close::Close;
use super::position::{Position, Step, Wrote};

/// A socket that has taken nothing for this long cannot keep up.
const STUCK: Duration = Duration::from_millis(250);

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

    /// What is missing, given the conversations of this user whose heads are past their cursors. `budget` entries are
    /// planned at most.
    pub(crate) fn plan(&self, heads: &[UserHead], mut budget: i64) -> Plan {
        let mut inner = self.inner.lock();
        let mut plan = Plan {
            complete: true,
            ..Plan::default()
        };
        for head in heads {
            if budget <= 0 {
                plan.complete = false;
                break;
            }
            budget -= inner.plan_one(self.user_id, head, budget, &mut plan);
        }
        plan
    }

    /// Takes what a round read from the store. Answers whether another round is due at once.
    pub(crate) fn apply_round(&self, entries: Vec<PushFrame>, mut plan: Plan) -> bool {
        let mut inner = self.inner.lock();
        if inner.gone {
            return false;
        }
        for frame in entries {
            if inner.queued_bytes > 0 && inner.queued_bytes + frame.json.len() > limits::ROUND_BYTES
            {
                // The rest comes in the next round, when this is written.
                plan.leave_rest();
                break;
            }
            inner.arrive_stored(frame);
        }
        for (conversation, first) in &plan.restarts {
            if let Some(position) = inner.positions.get_mut(conversation.as_str())
                && position.sent() < *first
            {
                position.restart_at(*first);
            }
        }
        if !plan.gaps.is_empty() {
            let json = lingxi_domain::frame::server::gap(&plan.gaps);
            inner.enqueue(Outgoing {
                json: json.into(),
                entry: None,
                written: None,
            });
        }
        let again = if plan.complete && inner.held_fits() {
            inner.merge_held()
        } else {
            inner.mark_due()
        };
        drop(inner);
        self.wake.notify_one();
        again
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

    /// Whether a round from the store is under way or due.
    pub(crate) fn is_syncing(&self) -> bool {
        matches!(self.inner.lock().stage, Stage::Syncing(_))
    }

    /// Live entries are not trusted until a round from the store has been applied.
    pub(crate) fn begin_sync(&self) {
        let mut inner = self.inner.lock();
        if matches!(inner.stage, Stage::Live) && !inner.gone {
            inner.stage = Stage::Syncing(Syncing::default());
        }
    }

    /// Enters the queue for a round from the store; answers whether it did not stand in it.
    pub(super) fn enter_sync_queue(&self) -> bool {
        !self.in_sync_queue.swap(true, Ordering::SeqCst)
    }

    /// Its round begins: whoever asks from now on asks for another.
    pub(super) fn leave_sync_queue(&self) {
        self.in_sync_queue.store(false, Ordering::SeqCst);
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

    /// Whether the queue ran empty while more is to come from the store. Answers it once.
    pub(crate) fn wants_round(&self) -> bool {
        let mut inner = self.inner.lock();
        match &mut inner.stage {
            Stage::Syncing(syncing) => std::mem::take(&mut syncing.due),
            Stage::Live => false,
        }
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

impl Inner {
    fn enqueue(&mut self, outgoing: Outgoing) {
        if self.gone || self.close.is_some() {
            return;
        }
        let bytes = self.queued_bytes + outgoing.json.len();
        // A burst of more frames than the queue is meant for is no fault of a client that reads: only one whose socket
        // has taken nothing for a while is too slow.
        let stuck = || {
            self.writing_since
                .is_some_and(|since| since.elapsed() > STUCK)
        };
        let frames = self.queue.len();
        let over = frames >= limits::SESSION_QUEUE_FRAMES
            && (stuck() || frames >= limits::SESSION_BURST_FRAMES);
        if over || bytes > limits::SESSION_QUEUE_BYTES {
            metrics::counter!("lingxi_slow_consumers_total").increment(1);
            self.close = Some(Close::TooSlow);
            return;
        }
        self.queued_bytes = bytes;
        self.queue.push_back(outgoing);
    }

    /// A live frame; answers whether entries are missing before it.
    fn arrive(&mut self, frame: PushFrame, written: Option<Replier>) -> bool {
        if frame.seq == 0 {
            self.enqueue(Outgoing {
                json: frame.json,
                entry: None,
                written,
            });
            return false;
        }
        if let Stage::Syncing(syncing) = &mut self.stage {
            syncing.hold(Held { frame, written });
            return false;
        }
        self.step(frame, written)
    }

    /// Queues an entry if it is next; answers whether entries are missing before it.
    fn step(&mut self, frame: PushFrame, written: Option<Replier>) -> bool {
        let (key, step) = match self.positions.get_key_value(frame.conversation.as_str()) {
            Some((key, _)) => {
                let key = key.clone();
                let step = self
                    .positions
                    .get_mut(&key)
                    .map_or(Step::Next, |p| p.arrive(frame.seq));
                (key, step)
            }
            None => {
                // Its cursor stood at its head when this session synced, so this entry is the next.
                let key: Arc<str> = frame.conversation.into();
                let mut position = Position::assumed_at(frame.seq);
                let step = position.arrive(frame.seq);
                self.positions.insert(key.clone(), position);
                (key, step)
            }
        };
        match step {
            Step::Next => self.enqueue(Outgoing {
                json: frame.json,
                entry: Some((key, frame.seq)),
                written,
            }),
            Step::Duplicate => self.answer_duplicate(&key, frame.seq, written),
            Step::Hole => return true,
        }
        false
    }

    /// An entry that was queued before: its asker is told when it was really written. Dropped, the asker learns that it
    /// was not.
    fn answer_duplicate(&mut self, key: &Arc<str>, seq: Seq, written: Option<Replier>) {
        let Some(written) = written else { return };
        let same = |o: &&mut Outgoing| o.entry.as_ref().is_some_and(|(k, s)| k == key && *s == seq);
        if let Some(waiting) = self.queue.iter_mut().find(same) {
            waiting.written.get_or_insert(written);
        } else if self.positions.get(key).is_some_and(|p| p.has_written(seq)) {
            written.reply(Bytes::new());
        }
    }

    fn arrive_stored(&mut self, frame: PushFrame) {
        // A hole here means that a live push overtook this round; the next comparison finds it.
        self.step(frame, None);
    }

    /// Plans one conversation; answers how many entries that costs.
    fn plan_one(&mut self, user_id: UserId, head: &UserHead, budget: i64, plan: &mut Plan) -> i64 {
        let delivered = head.delivered_seq;
        let key: Arc<str> = head.conversation.as_str().into();
        let position = self
            .positions
            .entry(key.clone())
            .or_insert_with(|| Position::starting_at(delivered + 1));
        if head.last_seq < position.sent() {
            // Read before what was pushed last: it may be of a membership that has ended since.
            return 0;
        }
        position.correct(delivered);
        if position.sent() < delivered {
            // Confirmed elsewhere: on another device, by a receipt, or before the user came back to the group.
            position.restart_at(delivered + 1);
        }
        if let Some((from, to)) = position.confirmed_beyond(delivered) {
            plan.moves.push(cursor_move(user_id, &key, from, to));
        }
        let first = position.sent() + 1;
        let missing = head.last_seq - position.sent();
        if missing <= 0 {
            return 0;
        }
        let take = missing.min(limits::RESUME_CAP);
        if take > budget {
            // Rather whole in the next round than cut: the cap of a conversation counts once.
            plan.complete = false;
            return budget;
        }
        plan.ranges
            .push((head.conversation.clone(), first, first + take - 1));
        if missing > take {
            plan.gaps.push(Gap {
                conversation: head.conversation.clone(),
                after: first + take - 1,
                last_seq: head.last_seq,
            });
            plan.restarts
                .push((head.conversation.clone(), head.last_seq + 1));
        }
        take
    }

    /// Whether what waits for the last round has room in the queue, behind what its socket has not taken yet.
    fn held_fits(&self) -> bool {
        match &self.stage {
            Stage::Syncing(syncing) => {
                self.queued_bytes + syncing.held_bytes <= limits::SESSION_QUEUE_BYTES
            }
            Stage::Live => true,
        }
    }

    /// The last round: what waited is merged. Answers whether it shows a hole, or not everything could wait, so that
    /// another round is due.
    fn merge_held(&mut self) -> bool {
        let Stage::Syncing(syncing) = std::mem::replace(&mut self.stage, Stage::Live) else {
            return false;
        };
        let mut again = syncing.overflowed;
        for Held { frame, written } in syncing.held {
            again |= self.step(frame, written);
        }
        if again {
            self.stage = Stage::Syncing(Syncing::default());
        }
        again
    }

    /// More is to be read when the socket's task has written what is queued.
    fn mark_due(&mut self) -> bool {
        match &mut self.stage {
            Stage::Syncing(syncing) => syncing.due = true,
            stage @ Stage::Live => {
                let due = true;
                *stage = Stage::Syncing(Syncing {
                    due,
                    ..Syncing::default()
                });
            }
        }
        false
    }
}

#[cfg(test)]
mod tests;
