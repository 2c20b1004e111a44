//! One member who is online: receives and checks; a sender also writes.

use std::{pin::pin, rc::Rc, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    Options,
    books::{Books, Stage},
};
use crate::{
    chat::{
        bell::silent,
        message::{Template, sequence_of, stamp_of},
        order::{Bits, Dense, Verdict},
    },
    client::{Frame, Gap, Group, Outbox, Received, Socket, Wake, resume},
};

/// A member with its checks. Messages are numbered over all senders, from 1; number 0 is the first member's, and shows that
/// all are there.
pub(super) struct Member {
    number: usize,
    senders: usize,
    messages: u32,
    /// From one message of all senders to the next.
    period: Duration,
    template: Template,
    books: Rc<Books>,
    conversation: String,
    /// Message 0's `seq`: all checks begin behind it. 0 before it came.
    base: u64,
    /// Whether it was asked for by a pull, so that it may come twice.
    pulled: bool,
    /// `None` before message 0.
    log: Option<Dense>,
    got: Bits,
    /// The highest number of each sender that came.
    highest: Vec<u32>,
    /// The next to send here.
    next: u32,
    closed: Option<String>,
}

impl Member {
    pub(super) fn new(number: usize, options: &Options, group: Group, books: Rc<Books>) -> Self {
        Self {
            number,
            senders: options.senders,
            messages: options.messages,
            period: Duration::from_secs_f64(1.0 / options.rate),
            template: Template::group(group.id, options.size),
            books,
            conversation: format!("g:{}", group.id),
            base: 0,
            pulled: false,
            log: None,
            got: Bits::default(),
            highest: vec![0; options.senders],
            next: number as u32 + 1,
            closed: None,
        }
    }

    fn is_sender(&self) -> bool {
        self.number < self.senders
    }

    /// Takes part until the run is over.
    pub(super) async fn run(mut self, mut socket: Socket) {
        let mut stage = self.books.stage.subscribe();
        let quiet = silent(self.senders);
        if self.number == 0 {
            socket.outbox.text(self.template.fill(0, 0));
        }
        while self.closed.is_none() {
            let now = stage.borrow_and_update().clone();
            let mut bells = Arc::clone(&quiet);
            match now {
                Stage::Gathering => {}
                Stage::Over => break,
                Stage::Talking(start, ringing) => {
                    bells = ringing;
                    self.send_due(start, &mut socket.outbox);
                }
            }
            let turn = match socket.flush() {
                Ok(()) => {
                    let mut told = pin!(async {
                        match bells.get(self.number) {
                            Some(bell) => tokio::select! {
                                () = bell.notified() => {}
                                _ = stage.changed() => {}
                            },
                            None => drop(stage.changed().await),
                        }
                    });
                    socket.wait(told.as_mut()).await
                }
                Err(error) => Err(error),
            };
            let outcome = match turn {
                Ok(Wake::Readable) => {
                    let at = Instant::now();
                    socket.receive(|received, outbox| match received {
                        Received::Text(text) => self.take(text, at, outbox),
                        Received::Close(code) => self.closed = Some(format!("closed with {code}")),
                    })
                }
                Ok(Wake::Closed) => Err(std::io::ErrorKind::UnexpectedEof.into()),
                Ok(Wake::Timer | Wake::Written) => Ok(()),
                Err(error) => Err(error),
            };
            if let Err(error) = outcome {
                self.closed.get_or_insert_with(|| error.to_string());
            }
        }
        if let Some(cause) = self.closed {
            self.books.gone(cause);
        }
        self.books
            .ended(self.got, self.log.as_ref().map_or(0, Dense::holes));
    }

    fn send_due(&mut self, start: Instant, outbox: &mut Outbox) {
        let now = Instant::now();
        while self.is_sender() && self.next <= self.messages {
            let due = start + self.period * (self.next - 1);
            if due > now {
                return;
            }
            outbox.text(self.template.fill(self.next, 0));
            self.books.sent(self.next, due, now);
            self.next += self.senders as u32;
        }
    }

    fn take(&mut self, text: &[u8], at: Instant, outbox: &mut Outbox) {
        let Some(frame) = Frame::scan(text) else {
            self.books.counts.borrow_mut().unreadable += 1;
            return;
        };
        let here = frame.conversation == self.conversation.as_bytes();
        if self.pulled && here && (1..=self.base).contains(&frame.seq) {
            return;
        }
        match frame.kind {
            4 if here => self.take_message(&frame, at, outbox),
            3 => {
                let number = sequence_of(frame.msg_id);
                if number != Some(0) {
                    self.books.answered(number, frame.status, frame.reason, at);
                }
            }
            5 if self.log.is_none() && frame.event == b"gap" => self.take_gap(text, outbox),
            5 => self.take_event(&frame),
            _ => {}
        }
    }

    /// So many joined that not all of it was pushed: message 0 is the last entry, if it was left out too.
    fn take_gap(&mut self, text: &[u8], outbox: &mut Outbox) {
        for gap in Gap::read(text).unwrap_or_default() {
            if gap.conversation == self.conversation {
                self.pulled = true;
                let last = gap.last_seq.saturating_sub(1);
                outbox.text(resume::pull(&gap.conversation, last).as_bytes());
            }
        }
    }

    fn take_event(&mut self, frame: &Frame<'_>) {
        // Before message 0: members who joined.
        let Some(log) = &mut self.log else { return };
        let mut counts = self.books.counts.borrow_mut();
        let event = String::from_utf8_lossy(frame.event).into_owned();
        *counts.events.entry(event).or_default() += 1;
        // A `read` names a reader's position, not an entry of the log.
        let entry = frame.seq > 0 && frame.event != b"read";
        if entry && frame.conversation == self.conversation.as_bytes() {
            count(log.observe(frame.seq), &mut counts);
        }
    }

    fn take_message(&mut self, frame: &Frame<'_>, at: Instant, outbox: &mut Outbox) {
        let Some((_, number)) = stamp_of(frame.content) else {
            self.books.counts.borrow_mut().unreadable += 1;
            return;
        };
        let Some(log) = &mut self.log else {
            self.log = Some(Dense::starting_at(frame.seq + 1));
            self.base = frame.seq;
            self.got.insert(number);
            outbox.text(resume::receipt(&self.conversation, frame.seq).as_bytes());
            if number == 0 {
                self.books.is_ready();
            }
            return;
        };
        let mut verdict = log.observe(frame.seq);
        if !self.got.insert(number) {
            verdict = Verdict::Repeated;
        } else {
            let sender = number.saturating_sub(1) as usize % self.senders;
            let highest = &mut self.highest[sender];
            if number < *highest {
                verdict = Verdict::OutOfOrder;
            }
            *highest = number.max(*highest);
            self.books.arrived(number, at);
        }
        count(verdict, &mut self.books.counts.borrow_mut());
    }
}

fn count(verdict: Verdict, counts: &mut super::Counts) {
    match verdict {
        Verdict::InOrder => {}
        Verdict::Repeated => counts.repeated += 1,
        Verdict::OutOfOrder => counts.out_of_order += 1,
    }
}
