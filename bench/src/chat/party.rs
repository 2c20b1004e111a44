//! One user of a pair: sends by its pace, receives, checks.

use std::{cell::RefCell, pin::pin, rc::Rc, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until};

use super::{
    bell::Bells,
    message::{Template, sequence_of, stamp_of},
    order::{Bits, Dense, Rising, Verdict},
    tally::Tally,
};
use crate::client::{Frame, Outbox, Received, Socket, Wake};

/// How long a finished pair listens on, for repeats.
const QUIET: Duration = Duration::from_millis(300);

/// How often a sender looks whether all has come.
const DRAIN_STEP: Duration = Duration::from_millis(20);

/// When a sender sends.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pace {
    /// As soon as fewer than this many are unacknowledged.
    Window(usize),
    /// At fixed times after the start.
    Period {
        /// The first.
        first: Duration,
        /// From one to the next.
        period: Duration,
    },
}

/// What one user is to do.
pub(super) struct Plan {
    pub(super) me: String,
    pub(super) other: String,
    pub(super) size: usize,
    pub(super) read: bool,
    pub(super) pace: Pace,
    pub(super) start: Instant,
    pub(super) end: Instant,
    pub(super) give_up: Instant,
    pub(super) bells: Bells,
    /// Which of the bells is its own.
    pub(super) number: usize,
}

/// One direction of a pair, written by its sender and by its receiver.
#[derive(Debug, Default)]
pub(super) struct Half {
    /// When each message was due, by its number.
    due: Vec<u64>,
    acked: Bits,
    refused: Bits,
    arrived: Rising,
    /// What this half's sender saw of the conversation.
    log: Dense,
    over: bool,
}

impl Half {
    pub(super) fn unacked(&self) -> usize {
        self.due.len() - self.acked.len() - self.refused.len()
    }

    pub(super) fn lost(&self) -> usize {
        self.acked.missing_from(self.arrived.seen())
    }

    pub(super) fn holes(&self) -> usize {
        self.log.holes()
    }

    /// Nothing of this direction is on its way any more.
    fn settled(&self) -> bool {
        self.over && self.unacked() == 0 && self.lost() == 0
    }
}

/// A user with its socket and its books.
pub(super) struct Party {
    plan: Plan,
    mine: Rc<RefCell<Half>>,
    theirs: Rc<RefCell<Half>>,
    tally: Rc<RefCell<Tally>>,
    template: Template,
    closed: Option<String>,
}

impl Party {
    pub(super) fn new(
        plan: Plan,
        mine: Rc<RefCell<Half>>,
        theirs: Rc<RefCell<Half>>,
        tally: Rc<RefCell<Tally>>,
    ) -> Self {
        let template = Template::private(&plan.other, plan.size);
        Self {
            plan,
            mine,
            theirs,
            tally,
            template,
            closed: None,
        }
    }

    /// Sends and receives until the end, then until everything has come or the drain time is over.
    pub(super) async fn run(mut self, mut socket: Socket) {
        let bells = Arc::clone(&self.plan.bells);
        let bell = &bells[self.plan.number];
        let mut timer = pin!(sleep_until(self.plan.start));
        let mut settled_at = None;
        timer.as_mut().await;
        loop {
            let now = Instant::now();
            if now < self.plan.end {
                self.send_due(now, &mut socket.outbox);
            } else {
                self.mine.borrow_mut().over = true;
                if self.mine.borrow().settled() && self.theirs.borrow().settled() {
                    settled_at.get_or_insert(now);
                }
                if now >= self.plan.give_up || settled_at.is_some_and(|at| now >= at + QUIET) {
                    break;
                }
            }
            let next = if now < self.plan.end {
                self.plan.end
            } else {
                now + DRAIN_STEP
            };
            if timer.deadline() != next {
                timer.as_mut().reset(next);
            }
            let turn = match socket.flush() {
                Ok(()) => {
                    let mut wake = pin!(async {
                        tokio::select! {
                            () = timer.as_mut() => {}
                            () = bell.notified() => {}
                        }
                    });
                    socket.wait(wake.as_mut()).await
                }
                Err(error) => Err(error),
            };
            let outcome = match turn {
                Ok(Wake::Readable) => {
                    let at = self.since_start(Instant::now());
                    socket.receive(|received, outbox| self.take(received, outbox, at))
                }
                Ok(Wake::Closed) => Err(std::io::ErrorKind::UnexpectedEof.into()),
                Ok(Wake::Timer | Wake::Written) => Ok(()),
                Err(error) => Err(error),
            };
            if let Err(error) = outcome {
                self.closed.get_or_insert_with(|| error.to_string());
            }
            if self.closed.is_some() {
                break;
            }
        }
        self.mine.borrow_mut().over = true;
        if let Some(cause) = self.closed.take() {
            self.tally.borrow_mut().closed(cause);
        }
    }

    fn since_start(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.plan.start).as_nanos() as u64
    }

    /// The time message `number` is due at a fixed pace.
    fn due(&self, first: Duration, period: Duration, number: usize) -> Instant {
        self.plan.start + first + period.mul_f64(number as f64)
    }

    fn send_due(&mut self, now: Instant, outbox: &mut Outbox) {
        loop {
            let sent = self.mine.borrow().due.len();
            let due = match self.plan.pace {
                Pace::Window(window) if self.mine.borrow().unacked() < window => now,
                Pace::Window(_) => return,
                Pace::Period { first, period } => self.due(first, period, sent),
            };
            if due > now || due >= self.plan.end {
                return;
            }
            let Ok(number) = u32::try_from(sent) else {
                return;
            };
            let due = self.since_start(due);
            self.mine.borrow_mut().due.push(due);
            self.tally.borrow_mut().sent(due, self.since_start(now));
            outbox.text(self.template.fill(number, due));
        }
    }

    fn take(&mut self, received: Received<'_>, outbox: &mut Outbox, now: u64) {
        let frame = match received {
            Received::Close(code) => {
                self.closed = Some(format!("closed with {code}"));
                return;
            }
            Received::Text(text) => Frame::scan(text),
        };
        match frame {
            Some(frame) if frame.kind == 2 => {
                self.take_message(&frame, now);
                if self.plan.read && frame.from != self.plan.me.as_bytes() {
                    outbox.text(&read_receipt(&frame));
                }
            }
            Some(frame) if frame.kind == 3 => self.take_ack(&frame, now),
            Some(frame) if frame.kind == 5 => self.tally.borrow_mut().event(frame.event),
            // A heartbeat came with a Ping, which has its Pong; other types are not for a load generator.
            Some(_) => {}
            None => self.tally.borrow_mut().counts.unreadable += 1,
        }
    }

    fn take_ack(&mut self, frame: &Frame<'_>, now: u64) {
        let mut tally = self.tally.borrow_mut();
        let mut mine = self.mine.borrow_mut();
        let known = sequence_of(frame.msg_id)
            .and_then(|number| Some((number, *mine.due.get(number as usize)?)));
        match (known, frame.status) {
            (Some((number, due)), b"delivered" | b"stored") if mine.acked.insert(number) => {
                tally.acked(frame.status, due, now);
            }
            (Some((number, _)), b"failed") if mine.refused.insert(number) => {
                tally.failed(frame.reason)
            }
            _ => tally.counts.stray_acks += 1,
        }
    }

    fn take_message(&mut self, frame: &Frame<'_>, now: u64) {
        let mut tally = self.tally.borrow_mut();
        let mut mine = self.mine.borrow_mut();
        let mut verdict = mine.log.observe(frame.seq);
        if frame.from == self.plan.me.as_bytes() {
            tally.counts.echoed += 1;
        } else if let Some((due, number)) = stamp_of(frame.content) {
            tally.received(due, now);
            let by_sender = self.theirs.borrow_mut().arrived.observe(number);
            if by_sender != Verdict::InOrder {
                verdict = by_sender;
            }
        } else {
            tally.counts.unreadable += 1;
        }
        match verdict {
            Verdict::InOrder => {}
            Verdict::Repeated => tally.counts.repeated += 1,
            Verdict::OutOfOrder => tally.counts.out_of_order += 1,
        }
    }
}

/// Says that everything up to `frame` was read.
fn read_receipt(frame: &Frame<'_>) -> Vec<u8> {
    let mut receipt = br#"{"type":8,"conversation":""#.to_vec();
    receipt.extend_from_slice(frame.conversation);
    receipt.extend_from_slice(format!(r#"","seq":{},"kind":"read"}}"#, frame.seq).as_bytes());
    receipt
}
