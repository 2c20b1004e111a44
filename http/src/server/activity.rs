//! What one connection is doing, and until when it may.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lingxi_runtime::budget::{Budget, Hold};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

/// An answer that a client does not read is cut after this.
const STALLED: Duration = Duration::from_secs(30);
/// Nor may one be read slower than this in the long run, in bytes a second.
const SLOWEST: u64 = 32 * 1024;
/// How long a connection that was told to end may take to write what it has.
const ENDING: Duration = Duration::from_secs(2);
/// An idle connection younger than this is not closed for another.
const YOUNG: Duration = Duration::from_secs(1);

/// How long a connection may take for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeouts {
    pub(super) header: Duration,
    pub(super) idle: Duration,
}

/// What one connection is doing.
#[derive(Debug)]
pub(super) struct Activity {
    phase: Mutex<Phase>,
    /// It is a WebSocket now, which has bounds of its own.
    upgraded: AtomicBool,
    /// Tells the connection's task that it is to end.
    pub(super) end: Notify,
    budget: Budget,
}

#[derive(Debug)]
enum Phase {
    /// Nothing has come since.
    Silent(Instant),
    /// A request's head is coming, its first byte since then; what has come is held.
    Head(Instant, Hold),
    /// A request is being worked on.
    Busy(Option<Answer>),
    /// Its last answer was given then.
    Idle(Instant),
    /// It was told to end.
    Ending(Instant),
}

/// An answer of known size that is being written.
#[derive(Clone, Copy, Debug)]
struct Answer {
    progressed: Instant,
    by: Instant,
}

impl Activity {
    pub(super) fn new(budget: Budget) -> Self {
        Self {
            phase: Mutex::new(Phase::Silent(Instant::now())),
            upgraded: AtomicBool::new(false),
            end: Notify::new(),
            budget,
        }
    }

    /// Bytes came. Those of a head are held until it is whole.
    pub(super) fn read(&self, bytes: usize) -> io::Result<()> {
        if self.is_upgraded() {
            return Ok(());
        }
        let mut phase = self.phase.lock();
        let held = match &mut *phase {
            Phase::Silent(_) | Phase::Idle(_) => {
                let hold = self.budget.take(bytes);
                hold.map(|hold| *phase = Phase::Head(Instant::now(), hold))
                    .is_some()
            }
            Phase::Head(_, hold) => hold.grow(bytes),
            Phase::Busy(_) | Phase::Ending(_) => true,
        };
        if held {
            Ok(())
        } else {
            Err(io::Error::new(io::ErrorKind::OutOfMemory, "no room"))
        }
    }

    /// Bytes of an answer went.
    pub(super) fn wrote(&self) {
        if self.is_upgraded() {
            return;
        }
        if let Phase::Busy(Some(answer)) = &mut *self.phase.lock() {
            answer.progressed = Instant::now();
        }
    }

    /// A request's head is whole.
    pub(super) fn begin(&self) {
        self.enter(Phase::Busy(None));
    }

    /// The answer to it begins; `size` where that is known.
    pub(super) fn answer(&self, size: Option<u64>) {
        let now = Instant::now();
        let answer = size.map(|size| Answer {
            progressed: now,
            by: now + STALLED + Duration::from_secs(size / SLOWEST),
        });
        self.enter(Phase::Busy(answer));
    }

    /// The answer was handed on.
    pub(super) fn answered(&self) {
        self.enter(Phase::Idle(Instant::now()));
    }

    /// It is a WebSocket from now on.
    pub(super) fn upgraded(&self) {
        self.upgraded.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_upgraded(&self) -> bool {
        self.upgraded.load(Ordering::Relaxed)
    }

    fn enter(&self, next: Phase) {
        let mut phase = self.phase.lock();
        // What was told to end ends.
        if !matches!(*phase, Phase::Ending(_)) {
            *phase = next;
        }
    }

    /// Tells the connection to end when it is over one of its deadlines.
    pub(super) fn check(&self, now: Instant, timeouts: Timeouts) {
        if self.is_upgraded() {
            return;
        }
        let overdue = match &*self.phase.lock() {
            Phase::Silent(since) | Phase::Head(since, _) => now >= *since + timeouts.header,
            Phase::Idle(since) => now >= *since + timeouts.idle,
            Phase::Busy(Some(answer)) => now >= answer.by || now >= answer.progressed + STALLED,
            Phase::Busy(None) => false,
            Phase::Ending(since) => now >= *since + ENDING,
        };
        if overdue {
            self.finish();
        }
    }

    /// Since when nothing would be lost by closing it; `None` while there is something.
    pub(super) fn idle_since(&self, now: Instant) -> Option<Instant> {
        if self.is_upgraded() {
            return None;
        }
        match &*self.phase.lock() {
            Phase::Silent(since) | Phase::Head(since, _) | Phase::Idle(since) => {
                (*since + YOUNG <= now).then_some(*since)
            }
            Phase::Busy(_) | Phase::Ending(_) => None,
        }
    }

    /// Tells the connection to end.
    pub(super) fn finish(&self) {
        let mut phase = self.phase.lock();
        if !matches!(*phase, Phase::Ending(_)) {
            let now = Instant::now();
            // One that is idle has nothing to write: it is gone at once.
            let since = match *phase {
                Phase::Idle(_) => now,
                _ => now.checked_sub(ENDING).unwrap_or(now),
            };
            *phase = Phase::Ending(since);
        }
        drop(phase);
        self.end.notify_one();
    }

    /// Whether a connection that was told to end is cut, and not waited for.
    pub(super) fn is_cut(&self) -> bool {
        match &*self.phase.lock() {
            Phase::Ending(since) => since.elapsed() >= ENDING,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUTS: Timeouts = Timeouts {
        header: Duration::from_secs(10),
        idle: Duration::from_secs(75),
    };

    fn ends_after(activity: &Activity) -> Duration {
        let begun = Instant::now();
        let ends = |seconds: &u64| {
            let then = begun + Duration::from_secs(*seconds);
            activity.check(then, TIMEOUTS);
            matches!(*activity.phase.lock(), Phase::Ending(_))
        };
        (0..1000)
            .find(ends)
            .map_or(Duration::MAX, Duration::from_secs)
    }

    fn new() -> Activity {
        Activity::new(Budget::new(1000))
    }

    #[tokio::test(start_paused = true)]
    async fn each_phase_has_its_deadline() {
        assert_eq!(ends_after(&new()), TIMEOUTS.header);

        let head = new();
        head.read(10).unwrap();
        assert_eq!(ends_after(&head), TIMEOUTS.header);

        let idle = new();
        idle.begin();
        idle.answered();
        assert_eq!(ends_after(&idle), TIMEOUTS.idle);

        let next = new();
        next.begin();
        next.answered();
        next.read(10).unwrap();
        assert_eq!(ends_after(&next), TIMEOUTS.header);

        let working = new();
        working.begin();
        assert_eq!(ends_after(&working), Duration::MAX);

        let stalled = new();
        stalled.begin();
        stalled.answer(Some(1 << 20));
        assert_eq!(ends_after(&stalled), STALLED);

        let stream = new();
        stream.begin();
        stream.answer(None);
        assert_eq!(ends_after(&stream), Duration::MAX);

        let socket = new();
        socket.upgraded();
        assert_eq!(ends_after(&socket), Duration::MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_trickles_ends() {
        let activity = new();
        activity.begin();
        activity.answer(Some(1 << 20));
        let begun = Instant::now();
        while !matches!(*activity.phase.lock(), Phase::Ending(_)) {
            tokio::time::advance(Duration::from_secs(5)).await;
            activity.wrote();
            activity.check(Instant::now(), TIMEOUTS);
            assert!(begun.elapsed() < Duration::from_secs(70));
        }
        assert!(begun.elapsed() >= Duration::from_secs(60));
    }

    #[tokio::test]
    async fn a_head_is_held_until_it_is_whole() {
        let activity = new();
        activity.read(600).unwrap();
        activity.read(400).unwrap();
        assert_eq!(activity.budget.held(), 1000);
        assert!(activity.read(1).is_err());
        assert!(Activity::new(activity.budget.clone()).read(1).is_err());
        activity.begin();
        assert_eq!(activity.budget.held(), 0);
        activity.read(5000).unwrap();
    }
}
