//! What a session knows, and what frames and commands change of it.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::cursors::{Cursors, Pull, Taken, place};
use super::fetch::Page;
use super::outbox::{Acked, Outbox};
use super::receipts::Receipts;
use super::tally::Tally;
use crate::chat::commands::{Done, Then};
use crate::chat::event::Event;
use crate::chat::frame::Frame;
use crate::chat::names::Names;
use crate::chat::server::Refused;
use crate::chat::talk::Talk;

/// Conversations of which it is said at the end how far they were shown. Each counts as a request.
const FAREWELLS: usize = 20;

/// The longest wait for an answer that may not come.
const ANSWER: Duration = Duration::from_secs(5);

/// What a session knows. It does no I/O: what is to be shown, sent and fetched waits in it.
#[derive(Default)]
pub(super) struct State {
    pub(super) me: String,
    pub(super) names: Names,
    pub(super) talk: Option<Talk>,
    /// The last message that was shown where one is.
    pub(super) last: Option<i64>,
    pub(super) outbox: Outbox,
    pub(super) receipts: Receipts,
    pub(super) tally: Tally,
    /// Messages from others that are still to come, where the session ends with the last of them.
    pub(super) expected: Option<usize>,
    /// Nothing more is read from the input.
    pub(super) input_ended: bool,
    /// The user wants to go.
    pub(super) quitting: bool,
    /// To be shown.
    pub(super) shown: VecDeque<Event>,
    /// To be sent, besides messages.
    pub(super) frames: VecDeque<Value>,
    /// To be fetched.
    pub(super) pulls: VecDeque<Pull>,
    cursors: Cursors,
    /// Whose presence is watched: a new connection has to be told.
    watch: Option<Value>,
    /// Until when the answer to that is waited for.
    answer_until: Option<Instant>,
}

impl State {
    /// Somebody who talks to `talk`, and waits for so many messages, if for any number.
    pub(super) fn new(me: String, talk: Option<Talk>, expected: Option<usize>) -> Self {
        Self {
            me,
            talk,
            expected,
            ..Self::default()
        }
    }

    /// Takes a frame of the server.
    pub(super) fn frame(&mut self, frame: Frame, now: Instant) {
        match frame["type"].as_i64() {
            Some(3) => self.ack(frame, now),
            Some(10) => {
                self.answer_until = None;
                self.shown.push_back(Event::Frame(frame));
            }
            Some(5) if frame["event"] == "gap" => {
                for gap in frame["conversations"].as_array().into_iter().flatten() {
                    let seq = |field: &str| gap[field].as_u64().unwrap_or_default();
                    let key = gap["conversation"].as_str().unwrap_or_default();
                    let pull = self.cursors.gap(key, seq("after"), seq("last_seq"));
                    self.pulls.extend(pull);
                }
                self.shown.push_back(Event::Frame(frame));
            }
            _ => {
                if frame["event"] == "read" && frame["from"] == *self.me {
                    let key = frame["conversation"].as_str().unwrap_or_default();
                    let seq = frame["seq"].as_u64().unwrap_or_default();
                    self.receipts.kept(key, seq);
                }
                let taken = self.cursors.take(frame);
                self.taken(taken, now);
            }
        }
    }

    /// Takes a page that was fetched.
    pub(super) fn page(&mut self, page: Page, now: Instant) {
        let key = page.pull.conversation.clone();
        let taken = self.cursors.pulled(&page.pull, page.entries, page.has_more);
        let end = taken.show.last().and_then(|entry| entry["seq"].as_u64());
        self.taken(taken, now);
        // The server's watermark does not move by what was not pushed.
        if let Some(seq) = end {
            let receipt = json!({"type": 8, "conversation": key, "seq": seq, "kind": "delivered"});
            self.frames.push_back(receipt);
        }
    }

    /// There is a new connection: everything that may be missing is asked for, and what may be lost is said again.
    pub(super) fn connected(&mut self, now: Instant) {
        self.receipts.connected(now);
        self.frames = self.cursors.sync().into();
        self.frames.extend(self.watch.clone());
        self.shown.push_back(Event::Connected { again: true });
    }

    /// When an answer that is waited for is not waited for any longer.
    pub(super) fn answer_until(&self, now: Instant) -> Option<Instant> {
        self.answer_until.filter(|until| *until > now)
    }

    /// Says something.
    pub(super) fn say(&mut self, message: Value) {
        self.tally.sent(&message);
        self.shown.push_back(Event::Sent(message.clone()));
        self.outbox.push(message);
    }

    /// Whether all that was said has its ACK.
    pub(super) fn all_acked(&self) -> bool {
        self.outbox.len() == 0
    }

    /// Whether each message has its ACK and was shown, or was refused.
    pub(super) fn is_complete(&self) -> bool {
        self.all_acked() && self.tally.all_shown()
    }

    /// What became of it all.
    ///
    /// # Errors
    /// Says what was refused, and what has no ACK.
    pub(super) fn verdict(&self) -> anyhow::Result<()> {
        self.tally.verdict(self.outbox.len())
    }

    /// Takes what a command led to.
    pub(super) fn done(&mut self, name: &'static str, done: Done, now: Instant) {
        if let Some(body) = done.body {
            self.names.learn_all(&self.me, &body);
            let answer = Event::Answer {
                command: name,
                body,
            };
            self.shown.push_back(answer);
        }
        match done.then {
            Some(Then::Talk(talk)) => (self.talk, self.last) = (Some(talk), None),
            Some(Then::Send(fields)) => match self.talk.clone() {
                Some(talk) => self.say(talk.message(&fields)),
                None => self.refused("", Refused::usage("say whom it is for: /to NAME")),
            },
            Some(Then::Frame(mut frame)) => {
                frame["msg_id"] = uuid::Uuid::new_v4().to_string().into();
                self.watch = Some(frame.clone());
                self.answer_until = Some(now + ANSWER);
                self.frames.push_back(frame);
            }
            Some(Then::Read { conversation, seq }) => self.receipts.read(&conversation, seq, now),
            Some(Then::Quit) => self.quitting = true,
            None => {}
        }
    }

    /// A line was not done.
    pub(super) fn refused(&mut self, line: &str, why: Refused) {
        self.tally.not_done(&why.code);
        let line = line.to_owned();
        self.shown.push_back(Event::Refused { line, why });
    }

    /// What is said at the end: what was read, and what was shown, so that it does not come again.
    pub(super) fn farewell(&mut self) -> Vec<Value> {
        let mut frames = self.receipts.rest();
        let shown = self.cursors.shown().take(FAREWELLS);
        frames.extend(shown.map(
            |(key, seq)| json!({"type": 8, "conversation": key, "seq": seq, "kind": "delivered"}),
        ));
        frames
    }

    fn ack(&mut self, ack: Frame, now: Instant) {
        let event = match self.outbox.acked(&ack, now) {
            Acked::Settled => {
                self.tally.settled(&ack);
                Event::Settled(ack)
            }
            Acked::Again => Event::Again(ack),
            Acked::Unknown => {
                let of_watch = |watch: &Value| watch["msg_id"] == ack["msg_id"];
                if self.watch.as_ref().is_some_and(of_watch) {
                    (self.watch, self.answer_until) = (None, None);
                }
                Event::Frame(ack)
            }
        };
        self.shown.push_back(event);
    }

    fn taken(&mut self, taken: Taken, now: Instant) {
        for entry in taken.show {
            let event = self.entry(entry, now);
            self.shown.push_back(event);
        }
        self.pulls.extend(taken.pull);
    }

    /// A frame that is to be shown: what it says of names, and of what was read.
    fn entry(&mut self, frame: Frame, now: Instant) -> Event {
        let is_message = matches!(frame["type"].as_i64(), Some(2 | 4));
        let Some((key, seq)) = place(&frame) else {
            return Event::Frame(frame);
        };
        self.names.learn(&self.me, &frame);
        if !is_message {
            return Event::Frame(frame);
        }
        if self.talk.is_some() && self.names.talk(key) == self.talk {
            self.last = frame["id"].as_i64();
        }
        // Others may choose the same `msg_id`.
        if frame["from"] == *self.me && self.tally.shown(&frame) {
            return Event::Own(frame);
        }
        self.receipts.read(key, seq, now);
        self.expected = self.expected.map(|count| count.saturating_sub(1));
        Event::Frame(frame)
    }
}
