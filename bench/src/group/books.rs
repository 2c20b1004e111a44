//! What the members of a group write down together.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    time::Duration,
};

use serde::Serialize;
use tokio::{
    sync::{Notify, watch},
    time::{Instant, timeout_at},
};

use super::Options;
use crate::{
    chat::{bell::Bells, order::Bits},
    latency::Times,
};

/// Counts of a whole run; the first message, which only shows that all are there, is not in them.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Counts {
    /// Messages sent.
    pub sent: u64,
    /// Messages acknowledged.
    pub acked: u64,
    /// Messages refused, by reason.
    pub failed: BTreeMap<String, u64>,
    /// Messages at members' sockets, the sender's own included.
    pub arrived: u64,
    /// Messages that reached all members who are online.
    pub complete: u64,
    /// Acknowledged, and never at a member's socket; each member counted.
    pub lost: u64,
    /// Entries that had come before.
    pub repeated: u64,
    /// Entries whose `seq`, or sender's number, was not the next.
    pub out_of_order: u64,
    /// Numbers of the conversation that a member never saw.
    pub holes: u64,
    /// Messages without an ACK at the end.
    pub unanswered: u64,
    /// Second ACKs to a message, or ACKs to none that was sent.
    pub stray_acks: u64,
    /// Sockets that closed or failed, by cause.
    pub closed: BTreeMap<String, u64>,
    /// System frames behind the first message that a quiet group should not see, by event.
    pub events: BTreeMap<String, u64>,
    /// Frames that could not be read.
    pub unreadable: u64,
}

/// One message on its way.
#[derive(Debug, Clone, Copy, Default)]
struct Sent {
    /// When it was due; `None` before it is sent.
    due: Option<Instant>,
    acked: bool,
    refused: bool,
    /// Members who have it.
    arrived: usize,
}

/// How long things took, from when a message was due.
pub(super) struct Timings {
    /// Until it was at a member.
    pub(super) each: Times,
    /// Until it was at the last member.
    pub(super) all: Times,
    /// Until its ACK was at the sender.
    pub(super) ack: Times,
    /// Until it was handed to the sender's socket.
    pub(super) lateness: Times,
}

/// Where a run is, for members.
#[derive(Clone)]
pub(super) enum Stage {
    /// They come.
    Gathering,
    /// Messages are due from here on.
    Talking(Instant, Bells),
    /// Nothing more is expected.
    Over,
}

/// Everything that is shared in a run.
pub(super) struct Books {
    online: usize,
    messages: usize,
    pub(super) stage: watch::Sender<Stage>,
    pub(super) counts: RefCell<Counts>,
    pub(super) timings: RefCell<Timings>,
    sent: RefCell<Vec<Sent>>,
    /// What each member had got when it ended.
    ended: RefCell<Vec<Bits>>,
    ready: Cell<usize>,
    /// Members whose socket is gone.
    gone: Cell<usize>,
    moved: Notify,
}

impl Books {
    pub(super) fn new(options: &Options) -> anyhow::Result<Self> {
        let messages = options.messages as usize;
        Ok(Self {
            online: options.online,
            messages,
            stage: watch::Sender::new(Stage::Gathering),
            counts: RefCell::default(),
            timings: RefCell::new(Timings {
                each: Times::new()?,
                all: Times::new()?,
                ack: Times::new()?,
                lateness: Times::new()?,
            }),
            sent: RefCell::new(vec![Sent::default(); messages + 1]),
            ended: RefCell::default(),
            ready: Cell::new(0),
            gone: Cell::new(0),
            moved: Notify::new(),
        })
    }

    /// Waits until `reached` holds, at most until `deadline`; whether it does.
    pub(super) async fn until(&self, deadline: Instant, reached: impl Fn(&Self) -> bool) -> bool {
        while !reached(self) {
            if timeout_at(deadline, self.moved.notified()).await.is_err() {
                return reached(self);
            }
        }
        true
    }

    pub(super) fn begin(&self, start: Instant, bells: Bells) {
        self.stage.send_replace(Stage::Talking(start, bells));
    }

    pub(super) fn finish(&self) {
        self.stage.send_replace(Stage::Over);
    }

    /// Members who have the first message.
    pub(super) fn ready(&self) -> usize {
        self.ready.get()
    }

    /// A member has the first message.
    pub(super) fn is_ready(&self) {
        self.ready.set(self.ready.get() + 1);
        self.moved.notify_one();
    }

    /// Whether every message is answered and, unless refused, at every member whose socket is open.
    pub(super) fn settled(&self) -> bool {
        let here = self.online - self.gone.get();
        let sent = self.sent.borrow();
        sent[1..]
            .iter()
            .all(|message| message.refused || message.acked && message.arrived >= here)
    }

    pub(super) fn sent(&self, number: u32, due: Instant, now: Instant) {
        self.sent.borrow_mut()[number as usize].due = Some(due);
        self.counts.borrow_mut().sent += 1;
        let late = now.saturating_duration_since(due);
        self.timings.borrow_mut().lateness.add(late);
    }

    pub(super) fn answered(&self, number: Option<u32>, status: &[u8], reason: &[u8], at: Instant) {
        let mut counts = self.counts.borrow_mut();
        let mut sent = self.sent.borrow_mut();
        let message = number.and_then(|number| sent.get_mut(number as usize));
        let known = message.filter(|m| m.due.is_some() && !m.acked && !m.refused);
        match (known, status) {
            (Some(message), b"delivered" | b"stored") => {
                message.acked = true;
                counts.acked += 1;
                let time = message.due.map(|due| at.saturating_duration_since(due));
                self.timings.borrow_mut().ack.add(time.unwrap_or_default());
            }
            (Some(message), b"failed") => {
                message.refused = true;
                let reason = String::from_utf8_lossy(reason).into_owned();
                *counts.failed.entry(reason).or_default() += 1;
            }
            _ => counts.stray_acks += 1,
        }
        self.moved.notify_one();
    }

    /// A member got a message for the first time.
    pub(super) fn arrived(&self, number: u32, at: Instant) {
        let mut counts = self.counts.borrow_mut();
        counts.arrived += 1;
        let mut sent = self.sent.borrow_mut();
        let Some(message) = sent.get_mut(number as usize) else {
            return;
        };
        let Some(due) = message.due else { return };
        message.arrived += 1;
        let time: Duration = at.saturating_duration_since(due);
        let mut timings = self.timings.borrow_mut();
        timings.each.add(time);
        if message.arrived == self.online {
            timings.all.add(time);
            counts.complete += 1;
            self.moved.notify_one();
        }
    }

    /// A member's socket is gone before the end.
    pub(super) fn gone(&self, cause: String) {
        self.gone.set(self.gone.get() + 1);
        let mut counts = self.counts.borrow_mut();
        *counts.closed.entry(cause).or_default() += 1;
        self.moved.notify_one();
    }

    /// A member listens no more.
    pub(super) fn ended(&self, got: Bits, holes: usize) {
        self.counts.borrow_mut().holes += holes as u64;
        self.ended.borrow_mut().push(got);
    }

    /// The counts with what is known only at the end.
    pub(super) fn close(&self) -> Counts {
        let mut counts = self.counts.borrow().clone();
        let mut acked = Bits::default();
        for (number, message) in (0_u32..).zip(self.sent.borrow().iter()) {
            if message.acked {
                acked.insert(number);
            }
        }
        let lost = |got: &Bits| acked.missing_from(got) as u64;
        counts.lost = self.ended.borrow().iter().map(lost).sum();
        let refused = counts.failed.values().sum::<u64>();
        counts.unanswered = (self.messages as u64).saturating_sub(counts.acked + refused);
        counts
    }
}
