//! What senders and devices of a herd write down, and who is told of it.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use serde::Serialize;
use tokio::{
    sync::{Notify, watch},
    time::{Instant, timeout_at},
};

use super::message::Recipient;
use crate::latency::Times;

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(super) enum Phase {
    /// All are connected to the gateway that will be lost.
    Before,
    /// It is being lost.
    Lost,
    /// All may come back, since then.
    Return(Instant),
    /// Nothing more is expected.
    Finish,
}

/// Counts of a whole run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Counts {
    /// Clients that were connected before the loss.
    pub clients: u64,
    /// Clients that had a working connection again.
    pub back: u64,
    /// Clients that had everything that was sent while they were away.
    pub caught_up: u64,
    /// Clients that never had a working connection again.
    pub failed: u64,
    /// Attempts to connect that had an outcome: not those that the end of the run cut short.
    pub attempts: u64,
    /// Attempts, and connections made, that failed and were followed by another, by cause.
    pub retries: BTreeMap<String, u64>,
    /// Messages sent.
    pub sent: u64,
    /// Messages acknowledged `delivered` or `stored`.
    pub acked: u64,
    /// Messages refused, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Messages without an ACK at the end.
    pub unanswered: u64,
    /// Messages that reached a client, each client of a group counted.
    pub arrived: u64,
    /// Acknowledged, and never at a client that is back; each client of a group counted.
    pub missing: u64,
    /// Numbers of a conversation that a client never saw.
    pub holes: u64,
    /// Came again although confirmed, or twice on one connection.
    pub repeated: u64,
    /// Came again, not having been confirmed, on another connection or after a pull: allowed.
    pub repeated_unconfirmed: u64,
    /// Not the next of their conversation or connection.
    pub out_of_order: u64,
    /// `gap` frames, each followed by a pull.
    pub gaps: u64,
    /// Clients that could not confirm the message before the loss.
    pub unsettled: u64,
    /// Sockets that closed or failed before the loss, and senders' sockets, by cause.
    pub closed: BTreeMap<String, u64>,
    /// Frames that could not be read.
    pub unreadable: u64,
}

/// How a message was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Not yet, or it was not sent.
    None,
    /// `delivered` or `stored`.
    Committed,
    /// `failed`.
    Refused,
}

/// A conversation, which has one sender.
pub(super) struct Conversation {
    pub(super) to: Recipient,
    pub(super) sender: usize,
    /// How many devices are in it.
    pub(super) devices: usize,
    /// How many of them are back.
    pub(super) back: usize,
    /// Of each number, when it was sent and how it was answered.
    pub(super) messages: Vec<(Option<Instant>, Answer)>,
}

/// How long things took.
pub(super) struct Timings {
    /// From the return until back.
    pub(super) back: Times,
    /// From the return until caught up.
    pub(super) caught_up: Times,
    /// From a device's own first attempt until it was back.
    pub(super) own: Times,
    /// A fresh message, from sending until it was at the device.
    pub(super) fresh: Times,
}

/// How many devices reached a stage.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Progress {
    /// Confirmed the message before the loss.
    pub(super) settled: usize,
    /// Lost their connection.
    pub(super) away: usize,
    pub(super) caught_up: usize,
    /// Fresh messages that arrived, each device of a group counted.
    pub(super) fresh: usize,
    /// Messages that wait for their ACK or to be sent.
    pub(super) unanswered: usize,
}

/// Everything that is shared in a run.
pub(super) struct Books {
    pub(super) run: u32,
    /// Messages while away: numbers 1 to this.
    pub(super) away: u32,
    /// Whether a conversation gets its fresh message as soon as all its devices are back.
    pub(super) fresh_when_back: bool,
    pub(super) phase: watch::Sender<Phase>,
    pub(super) counts: RefCell<Counts>,
    pub(super) timings: RefCell<Timings>,
    pub(super) progress: Cell<Progress>,
    pub(super) conversations: RefCell<Vec<Conversation>>,
    /// What each sender is to send next: conversation and number.
    orders: RefCell<Vec<VecDeque<(usize, u32)>>>,
    pub(super) bells: Vec<Notify>,
    moved: Notify,
}

impl Books {
    pub(super) fn new(
        away: u32,
        fresh_when_back: bool,
        senders: usize,
        conversations: Vec<Conversation>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            run: rand::random(),
            away,
            fresh_when_back,
            phase: watch::Sender::new(Phase::Before),
            counts: RefCell::default(),
            timings: RefCell::new(Timings {
                back: Times::new()?,
                caught_up: Times::new()?,
                own: Times::new()?,
                fresh: Times::new()?,
            }),
            progress: Cell::default(),
            conversations: RefCell::new(conversations),
            orders: RefCell::new(vec![VecDeque::new(); senders]),
            bells: (0..senders).map(|_| Notify::new()).collect(),
            moved: Notify::new(),
        })
    }

    /// The number of the message that is sent when devices are back.
    pub(super) fn fresh(&self) -> u32 {
        self.away + 1
    }

    /// Notes that something moved, for [`Books::until`].
    pub(super) fn step(&self, change: impl FnOnce(&mut Progress)) {
        let mut progress = self.progress.get();
        change(&mut progress);
        self.progress.set(progress);
        self.moved.notify_one();
    }

    /// Waits until `reached` holds, at most for `limit`; whether it does.
    pub(super) async fn until(&self, limit: Duration, reached: impl Fn(Progress) -> bool) -> bool {
        let deadline = Instant::now() + limit;
        while !reached(self.progress.get()) {
            if timeout_at(deadline, self.moved.notified()).await.is_err() {
                return reached(self.progress.get());
            }
        }
        true
    }

    /// Has one message of a conversation sent.
    pub(super) fn order(&self, conversation: usize, number: u32) {
        let Some(sender) = self
            .conversations
            .borrow()
            .get(conversation)
            .map(|c| c.sender)
        else {
            return;
        };
        self.step(|progress| progress.unanswered += 1);
        self.orders.borrow_mut()[sender].push_back((conversation, number));
        self.bells[sender].notify_one();
    }

    /// Has one message of every conversation sent.
    pub(super) fn order_all(&self, number: u32) {
        let conversations = self.conversations.borrow().len();
        for conversation in 0..conversations {
            self.order(conversation, number);
        }
    }

    /// What a sender is to send next.
    pub(super) fn next_order(&self, sender: usize) -> Option<(usize, u32)> {
        self.orders.borrow_mut()[sender].pop_front()
    }

    /// How a message was answered.
    pub(super) fn answer(&self, conversation: usize, number: u32) -> Answer {
        let conversations = self.conversations.borrow();
        let messages = conversations.get(conversation).map(|c| &c.messages);
        messages
            .and_then(|messages| messages.get(number as usize))
            .map_or(Answer::None, |(_, answer)| *answer)
    }
}
