//! Messages that have no ACK yet.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

/// Messages that may wait. Who has more to say waits, too.
pub(super) const MOST_WAITING: usize = 100;
/// Without an ACK for so long, a message is sent again.
const PATIENCE: Duration = Duration::from_secs(15);
/// The wait after a refusal that may pass; it grows with each.
const PAUSE: Duration = Duration::from_millis(500);
/// Refusals that may pass are taken for final after so many of one message.
const MOST_REFUSALS: u32 = 30;

/// One's own messages, in the order in which they were said. One is on its way at a time, so that they are stored in that
/// order whatever happens to the connection; it is repeated with its `msg_id` until it has an ACK. Decides and does no I/O.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Value>,
    /// When the first one is to be sent (again); never sent so far when there is none.
    again_at: Option<Instant>,
    refusals: u32,
}

/// What an ACK means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Acked {
    /// The message is dealt with: stored, delivered, or refused for good.
    Settled,
    /// It is sent again in a while.
    Again,
    /// It is about no message of these.
    Unknown,
}

impl Outbox {
    /// How many have no ACK.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= MOST_WAITING
    }

    /// Takes a message's frame, which has a `msg_id`.
    pub(super) fn push(&mut self, frame: Value) {
        self.waiting.push_back(frame);
    }

    /// When [`next`](Self::next) is to be asked; `now` if it has something.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        self.waiting.front()?;
        Some(self.again_at.unwrap_or(now))
    }

    /// The frame to send now.
    pub(super) fn next(&mut self, now: Instant) -> Option<&Value> {
        if self.due(now)? > now {
            return None;
        }
        self.again_at = Some(now + PATIENCE);
        self.waiting.front()
    }

    /// Takes an ACK.
    pub(super) fn acked(&mut self, ack: &Value, now: Instant) -> Acked {
        let first = self.waiting.front();
        if ack["status"] == "received" || first.is_none_or(|first| first["msg_id"] != ack["msg_id"])
        {
            return Acked::Unknown;
        }
        let may_pass = matches!(ack["reason"].as_str(), Some("rate_limited" | "unavailable"));
        if ack["status"] == "failed" && may_pass && self.refusals < MOST_REFUSALS {
            self.refusals += 1;
            self.again_at = Some(now + PAUSE * self.refusals.min(20));
            return Acked::Again;
        }
        self.waiting.pop_front();
        (self.again_at, self.refusals) = (None, 0);
        Acked::Settled
    }

    /// The connection is gone, and whatever was on its way with it: it is sent first on the next one.
    pub(super) fn lost(&mut self) {
        self.again_at = None;
    }
}
