//! The wait for a core to compute a password's hash on.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::timeout;

pub(crate) use super::waiting::Kind;
use super::waiting::{Room, Waiter, Waiting};
use crate::{Error, Result};

/// Nobody waits longer.
const LONGEST: Duration = Duration::from_secs(10);
/// When those that found no room may try again.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// A bounded number of hashes at once, and a fair wait for them.
#[derive(Clone)]
pub(super) struct Queue(Arc<Mutex<State>>);

struct State {
    waiting: Waiting,
    next: u64,
    calls: Vec<(u64, oneshot::Sender<()>)>,
    /// Called, and not heard of yet.
    called: Vec<u64>,
}

/// The right to compute one hash, until it is dropped.
pub(super) struct Turn {
    queue: Queue,
    kind: Kind,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.queue.0.lock();
        state.waiting.ended(self.kind);
        state.call_next();
    }
}

/// A place in the queue, given up when it is dropped.
struct Place<'a> {
    queue: &'a Queue,
    id: u64,
    kind: Kind,
}

impl Place<'_> {
    fn claim(self) -> Turn {
        self.queue.0.lock().called.retain(|id| *id != self.id);
        Turn {
            queue: self.queue.clone(),
            kind: self.kind,
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.queue.0.lock();
        state.calls.retain(|(id, _)| *id != self.id);
        state.waiting.withdraw(self.id);
        let unheard = state.called.iter().position(|id| *id == self.id);
        if let Some(position) = unheard {
            state.called.swap_remove(position);
            state.waiting.ended(self.kind);
            state.call_next();
        }
    }
}

impl Queue {
    pub(super) fn new(room: Room) -> Self {
        Self(Arc::new(Mutex::new(State {
            waiting: Waiting::new(room),
            next: 0,
            calls: Vec::new(),
            called: Vec::new(),
        })))
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// `rate_limited` where there is no room, or none within ten seconds.
    pub(super) async fn turn(&self, kind: Kind, network: Option<IpAddr>) -> Result<Turn> {
        let (place, called) = self.arrive(kind, network)?;
        match timeout(LONGEST, called).await {
            Ok(Ok(())) => Ok(place.claim()),
            // Somebody from elsewhere has the place now, or nobody had one for too long.
            Ok(Err(_)) | Err(_) => Err(full()),
        }
    }

    fn arrive(
        &self,
        kind: Kind,
        network: Option<IpAddr>,
    ) -> Result<(Place<'_>, oneshot::Receiver<()>)> {
        let mut state = self.0.lock();
        let id = state.next;
        state.next += 1;
        let waiter = Waiter { id, kind, network };
        match state.waiting.arrive(waiter) {
            Some(gone) if gone == id => return Err(full()),
            Some(gone) => state.calls.retain(|(id, _)| *id != gone),
            None => {}
        }
        let (call, called) = oneshot::channel();
        state.calls.push((id, call));
        state.call_next();
        let place = Place {
            queue: self,
            id,
            kind,
        };
        Ok((place, called))
    }
}

impl State {
    fn call_next(&mut self) {
        while let Some(next) = self.waiting.next(Instant::now()) {
            self.called.push(next.id);
            if let Some(position) = self.calls.iter().position(|(id, _)| *id == next.id) {
                // Who does not hear it any more gives the turn back with their place.
                let _ = self.calls.swap_remove(position).1.send(());
            }
        }
    }
}

fn full() -> Error {
    Error::limited("Too many people are logging in just now", TRY_AGAIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue() -> Queue {
        Queue::new(Room {
            running: 1,
            kept: 0,
            waiting: 3,
            per_network: 3,
        })
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever_and_nobody_leaves_a_gap() {
        let queue = queue();
        let first = queue.turn(Kind::Login, None).await.unwrap();
        let waiting = queue.turn(Kind::Login, None).await.err().unwrap();
        assert_eq!(waiting.retry_after(), Some(TRY_AGAIN));
        // Some give up while they wait, one as it is called.
        let mut leaving = Vec::new();
        for _ in 0..3 {
            let queue = queue.clone();
            leaving.push(Box::pin(async move { queue.turn(Kind::Login, None).await }));
            let polled = futures_util::poll!(leaving.last_mut().unwrap());
            assert!(polled.is_pending());
        }
        let full = queue.turn(Kind::Login, None).await.err().unwrap();
        assert_eq!(full.code(), lingxi_domain::ErrorCode::RateLimited);
        drop(leaving.pop());
        drop(first);
        drop(leaving);
        let next = queue.turn(Kind::Login, None).await.unwrap();
        drop(next);
        queue.turn(Kind::Registration, None).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn turns_are_passed_on() {
        let queue = queue();
        let first = queue.turn(Kind::Login, None).await.unwrap();
        let second = tokio::spawn({
            let queue = queue.clone();
            async move { queue.turn(Kind::Login, None).await.map(drop) }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        second.await.unwrap().unwrap();
    }
}
