//! One user's device: loses its gateway, comes back to another, and checks what it gets.

use std::{pin::pin, rc::Rc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::{
    books::{Answer, Books, Phase},
    log::{Log, Verdict},
    message::Name,
};
use crate::{
    chat::order::Bits,
    client::{Endpoint, Frame, Gap, Outbox, Received, Socket, Wake, resume},
};

/// The pause before a second attempt is random up to this; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest pause between attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What a device is to do.
pub(super) struct Plan {
    pub(super) token: String,
    /// Where it goes when its gateway is lost.
    pub(super) refuge: Endpoint,
    /// Picks its source address there.
    pub(super) number: usize,
    /// It cuts its first connection itself; otherwise it waits for the gateway's end.
    pub(super) cut: bool,
    /// The first attempt comes after a random time up to this.
    pub(super) jitter: Duration,
    /// An attempt that takes longer is given up.
    pub(super) attempt: Duration,
}

/// One of the conversations of a device.
struct Thread {
    /// Its place in the books.
    conversation: usize,
    /// The server's key for it, known from its first message on.
    key: Vec<u8>,
    /// `None` before its first message.
    log: Option<Log>,
    arrived: Bits,
    /// The lowest number that is awaited still, of those sent while away.
    reached: u32,
}

/// A device with its checks.
pub(super) struct Device {
    plan: Plan,
    books: Rc<Books>,
    threads: Vec<Thread>,
    phase: watch::Receiver<Phase>,
    /// Whether it asked for a message before the loss by a pull, so that such may come twice then.
    pulled_early: bool,
    /// Whether it has said that it has the messages before the loss.
    confirmed: bool,
    /// When its first attempt to come back began.
    began: Option<Instant>,
    back: bool,
    caught_up: bool,
    pause: Duration,
    closed: Option<String>,
}

/// Why a connection is no more.
enum Left {
    /// The run is finished.
    Finished,
    /// Cut here.
    Cut,
    /// It failed or was closed.
    Closed(String),
}

impl Device {
    pub(super) fn new(plan: Plan, books: Rc<Books>, conversations: &[usize]) -> Self {
        let thread = |&conversation: &usize| Thread {
            conversation,
            key: Vec::new(),
            log: None,
            arrived: Bits::default(),
            reached: 1,
        };
        Self {
            plan,
            threads: conversations.iter().map(thread).collect(),
            phase: books.phase.subscribe(),
            books,
            pulled_early: false,
            confirmed: false,
            began: None,
            back: false,
            caught_up: false,
            pause: Duration::ZERO,
            closed: None,
        }
    }

    /// Lives until the run is finished, from its first connection on.
    pub(super) async fn run(mut self, first: Socket) {
        let mut socket = first;
        loop {
            match self.attend(&mut socket).await {
                Left::Finished => break,
                Left::Cut => {}
                Left::Closed(cause) if self.began.is_some() => self.retry(cause),
                Left::Closed(cause) if self.now() == Phase::Before => {
                    let mut counts = self.books.counts.borrow_mut();
                    *counts.closed.entry(cause).or_default() += 1;
                }
                Left::Closed(_) => {}
            }
            // The old connection is gone before the next begins.
            drop(socket);
            if self.began.is_none() {
                self.books.step(|progress| progress.away += 1);
            }
            match self.come_back().await {
                Some(next) => socket = next,
                None => break,
            }
        }
        self.close_books();
    }

    fn now(&self) -> Phase {
        *self.phase.borrow()
    }

    fn retry(&self, cause: String) {
        let mut counts = self.books.counts.borrow_mut();
        *counts.retries.entry(cause).or_default() += 1;
    }

    /// Waits for the return, then tries until it has a connection; `None` when the run is finished.
    async fn come_back(&mut self) -> Option<Socket> {
        let returned = |phase: &Phase| *phase > Phase::Lost;
        self.phase.wait_for(returned).await.ok()?;
        let mut finished = self.books.phase.subscribe();
        let finished = async move {
            let _ = finished.wait_for(|phase| *phase == Phase::Finish).await;
        };
        tokio::select! {
            socket = self.attempts() => Some(socket),
            () = finished => None,
        }
    }

    /// A good client's attempts: the first at once but for the jitter, then with random, growing pauses.
    async fn attempts(&mut self) -> Socket {
        if self.began.is_none() {
            sleep(self.plan.jitter.mul_f64(rand::random())).await;
            self.began = Some(Instant::now());
        }
        loop {
            sleep(self.pause.mul_f64(rand::random())).await;
            self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
            let connect = Socket::connect(&self.plan.refuge, &self.plan.token, self.plan.number);
            let outcome = timeout(self.plan.attempt, connect).await;
            self.books.counts.borrow_mut().attempts += 1;
            match outcome {
                Ok(Ok(mut socket)) => {
                    for log in self.threads.iter_mut().filter_map(|t| t.log.as_mut()) {
                        log.reconnected();
                    }
                    // Its answer shows that the session works; an upgrade alone does not.
                    socket.outbox.text(br#"{"type":1,"msg_id":"back"}"#);
                    return socket;
                }
                Ok(Err(error)) => self.retry(error.to_string()),
                Err(_) => self.retry("no answer in time".to_owned()),
            }
        }
    }

    /// Receives until the connection is no more.
    async fn attend(&mut self, socket: &mut Socket) -> Left {
        let mut phase = self.books.phase.subscribe();
        loop {
            let now = *phase.borrow_and_update();
            if now == Phase::Finish {
                return Left::Finished;
            }
            if self.plan.cut && self.began.is_none() && now != Phase::Before {
                return Left::Cut;
            }
            self.look(&mut socket.outbox);
            let turn = match socket.flush() {
                Ok(()) => {
                    let mut told = pin!(async {
                        let _ = phase.changed().await;
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
            let failed = outcome.err().map(|error| error.to_string());
            if let Some(cause) = self.closed.take().or(failed) {
                return Left::Closed(cause);
            }
        }
    }

    /// Does what is due: confirms what came before the loss, notes that it has caught up.
    fn look(&mut self, outbox: &mut Outbox) {
        if !self.confirmed && self.threads.iter().all(|thread| thread.log.is_some()) {
            self.confirmed = true;
            for thread in &self.threads {
                let key = String::from_utf8_lossy(&thread.key);
                let seq = thread.log.as_ref().map_or(0, Log::confirmed);
                outbox.text(resume::receipt(&key, seq).as_bytes());
            }
            // Answered behind the receipts, which have no answer of their own.
            outbox.text(br#"{"type":1,"msg_id":"settled"}"#);
        }
        if self.back && !self.caught_up && self.has_all() {
            self.caught_up = true;
            if let Phase::Return(at) = self.now() {
                let mut timings = self.books.timings.borrow_mut();
                timings.caught_up.add(at.elapsed());
            }
            self.books.counts.borrow_mut().caught_up += 1;
            self.books.step(|progress| progress.caught_up += 1);
        }
    }

    /// Whether everything sent while away has come, but for what the server refused to take.
    fn has_all(&mut self) -> bool {
        let books = &self.books;
        self.threads.iter_mut().all(|thread| {
            while thread.reached <= books.away
                && (thread.arrived.contains(thread.reached)
                    || books.answer(thread.conversation, thread.reached) == Answer::Refused)
            {
                thread.reached += 1;
            }
            thread.reached > books.away
        })
    }

    fn take(&mut self, text: &[u8], at: Instant, outbox: &mut Outbox) {
        let Some(frame) = Frame::scan(text) else {
            self.books.counts.borrow_mut().unreadable += 1;
            return;
        };
        if self.began.is_some() && !self.back {
            self.is_back(at);
        }
        self.pause = Duration::ZERO;
        match frame.kind {
            2 | 4 => self.take_message(&frame, at),
            3 if frame.msg_id == b"settled" => self.books.step(|progress| progress.settled += 1),
            5 if frame.event == b"gap" => self.take_gap(text, outbox),
            // Its `seq` is a reader's position, not an entry of the log.
            5 if frame.event == b"read" => {}
            5 if frame.seq > 0 => self.observe(&frame),
            _ => {}
        }
    }

    fn is_back(&mut self, at: Instant) {
        self.back = true;
        self.books.counts.borrow_mut().back += 1;
        let mut timings = self.books.timings.borrow_mut();
        if let Phase::Return(from) = *self.phase.borrow() {
            timings.back.add(at.saturating_duration_since(from));
        }
        if let Some(began) = self.began {
            timings.own.add(at.saturating_duration_since(began));
        }
        for thread in &self.threads {
            let mut conversations = self.books.conversations.borrow_mut();
            let book = &mut conversations[thread.conversation];
            book.back += 1;
            let all = book.back == book.devices;
            drop(conversations);
            if all && self.books.fresh_when_back {
                self.books.order(thread.conversation, self.books.fresh());
            }
        }
    }

    fn take_message(&mut self, frame: &Frame<'_>, at: Instant) {
        let mine = Name::read(frame.content).filter(|name| name.run == self.books.run);
        let named = |thread: &&mut Thread| {
            mine.is_some_and(|name| thread.conversation == name.conversation as usize)
        };
        let (Some(name), Some(thread)) = (mine, self.threads.iter_mut().find(named)) else {
            // Of an earlier run of the same users.
            return self.observe(frame);
        };
        let first = thread.arrived.insert(name.number);
        if thread.log.is_none() {
            thread.key = frame.conversation.to_vec();
            thread.log = Some(Log::confirmed_at(frame.seq));
        } else {
            self.observe(frame);
        }
        if !first {
            return;
        }
        self.books.counts.borrow_mut().arrived += 1;
        if name.number == self.books.fresh() {
            let conversations = self.books.conversations.borrow();
            let book = conversations.get(name.conversation as usize);
            if let Some(sent) = book.and_then(|b| b.messages.get(name.number as usize)?.0) {
                let mut timings = self.books.timings.borrow_mut();
                timings.fresh.add(at.saturating_duration_since(sent));
            }
            self.books.step(|progress| progress.fresh += 1);
        }
    }

    /// Judges an entry of a log that is watched.
    fn observe(&mut self, frame: &Frame<'_>) {
        let known = |thread: &&mut Thread| thread.key == frame.conversation;
        let Some(thread) = self.threads.iter_mut().find(known) else {
            return;
        };
        let Some(log) = thread.log.as_mut() else {
            return;
        };
        if self.pulled_early && self.began.is_none() && frame.seq <= log.confirmed() {
            return;
        }
        let mut counts = self.books.counts.borrow_mut();
        match log.observe(frame.seq) {
            Verdict::New => {}
            Verdict::Again => counts.repeated_unconfirmed += 1,
            Verdict::Repeated => counts.repeated += 1,
            Verdict::OutOfOrder => counts.out_of_order += 1,
        }
    }

    /// Pulls what a `gap` says was left out.
    fn take_gap(&mut self, text: &[u8], outbox: &mut Outbox) {
        let Some(gaps) = Gap::read(text) else {
            self.books.counts.borrow_mut().unreadable += 1;
            return;
        };
        for gap in gaps {
            let key = &gap.conversation;
            let known = |thread: &&mut Thread| thread.key == key.as_bytes();
            let log = self.threads.iter_mut().find(known);
            let Some(log) = log.and_then(|thread| thread.log.as_mut()) else {
                // A group that many have joined: the message before the loss is the last entry, if it was left out too.
                self.pulled_early = true;
                let last = gap.last_seq.saturating_sub(1);
                outbox.text(resume::pull(key, last).as_bytes());
                continue;
            };
            self.books.counts.borrow_mut().gaps += 1;
            if let Some(cursor) = log.gap(gap.last_seq) {
                outbox.text(resume::pull(key, cursor).as_bytes());
            }
        }
    }

    /// What it never got.
    fn close_books(&self) {
        let mut counts = self.books.counts.borrow_mut();
        if !self.back {
            counts.failed += 1;
            return;
        }
        for thread in &self.threads {
            let committed = |number: &u32| {
                self.books.answer(thread.conversation, *number) == Answer::Committed
                    && !thread.arrived.contains(*number)
            };
            counts.missing += (0..=self.books.fresh()).filter(committed).count() as u64;
            counts.holes += thread.log.as_ref().map_or(0, Log::holes) as u64;
        }
    }
}
