//! What rounds from the store bring a session, and what waits for them.

use std::sync::atomic::Ordering;

use lingxi_domain::frame::server::Gap;
use lingxi_domain::{UserId, limits};
use lingxi_proto::bus::PushFrame;
use lingxi_store::UserHead;

use super::handle::cursor_move;
use super::inner::{Inner, Stage};
use super::waiting::{Held, Outgoing, Syncing};
use super::{Plan, Session};
use crate::ws::watermark::Watermark;

impl Session {
    /// What is missing, given the conversations of this user whose heads are past their cursors. `budget` entries are
    /// planned at most.
    pub(crate) fn plan(&self, heads: &[UserHead], mut budget: i64) -> Plan {
        let mut inner = self.inner.lock();
        let mut plan = Plan {
            complete: true,
            ..Plan::default()
        };
        inner
            .watermarks
            .forget_made_up(heads.iter().map(|head| head.conversation.as_str()));
        for head in heads {
            if budget <= 0 {
                plan.complete = false;
                break;
            }
            budget -= inner.plan_one(self.user_id, head, budget, &mut plan);
        }
        plan
    }

    /// Takes what a round read from the store. Returns true if another round is due at once.
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
            if let Some(watermark) = inner.watermarks.get_mut(conversation)
                && watermark.sent() < *first
            {
                watermark.restart_at(*first);
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

    /// Enters the queue for a round from the store; returns true if it did not stand in it.
    pub(in crate::ws) fn enter_resync_queue(&self) -> bool {
        !self.in_resync_queue.swap(true, Ordering::SeqCst)
    }

    /// Its round begins: whoever asks from now on asks for another.
    pub(in crate::ws) fn leave_resync_queue(&self) {
        self.in_resync_queue.store(false, Ordering::SeqCst);
    }

    /// Returns true if others are not to wait for its rounds.
    pub(in crate::ws) fn is_heavy(&self) -> bool {
        self.is_heavy.load(Ordering::Relaxed)
    }

    /// Its rounds take long, or no longer do.
    pub(in crate::ws) fn set_heavy(&self, heavy: bool) {
        self.is_heavy.store(heavy, Ordering::Relaxed);
    }

    /// Whether the queue ran empty while more is to come from the store. Answers it once.
    pub(crate) fn wants_round(&self) -> bool {
        let mut inner = self.inner.lock();
        match &mut inner.stage {
            Stage::Syncing(syncing) => std::mem::take(&mut syncing.due),
            Stage::Live => false,
        }
    }
}

impl Inner {
    /// Plans one conversation; answers how many entries that costs.
    fn plan_one(&mut self, user_id: UserId, head: &UserHead, budget: i64, plan: &mut Plan) -> i64 {
        let delivered = head.delivered_seq;
        let key = head.conversation.as_str();
        if self.watermarks.sent(key).is_none() {
            let new = Watermark::starting_at(delivered + 1);
            if self.watermarks.insert(key, new).is_none() {
                // Its turn comes when others are confirmed.
                return 0;
            }
        }
        let Some(watermark) = self.watermarks.get_mut(key) else {
            return 0;
        };
        if head.last_seq < watermark.sent() {
            // Read before what was pushed last: it may be of a membership that has ended since.
            return 0;
        }
        watermark.correct(delivered);
        if watermark.sent() < delivered {
            // Confirmed elsewhere: on another device, by a receipt, or before the user came back to the group.
            watermark.restart_at(delivered + 1);
        }
        if let Some((from, to)) = watermark.confirmed_beyond(delivered) {
            plan.moves.push(cursor_move(user_id, key, from, to));
        }
        let first = watermark.sent() + 1;
        let missing = head.last_seq - watermark.sent();
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
        if head.left {
            plan.left.insert(head.conversation.clone(), head.last_seq);
        }
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

    /// The last round: what waited is merged. Returns true if it shows a hole, or not everything could wait, so that
    /// another round is due.
    fn merge_held(&mut self) -> bool {
        let Stage::Syncing(syncing) = std::mem::replace(&mut self.stage, Stage::Live) else {
            return false;
        };
        self.give_back(syncing.held_bytes);
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
