//! Following one run wherever it executes, without a loss or a repeat.
//!
//! Events come from the run's worker while it executes and from the store when it has ended. A subscriber knows the id up
//! to which its client has everything; each request to a worker names that id and a session number, and only events
//! of the newest session count, each beginning exactly where the client stands. So whatever is lost or repeated on the
//! way (a broken stream, a second worker, a client that was too slow for a while, a run that ends in between) is noticed,
//! and asked for again: at once the first time, then ever more rarely until something comes that fits.

use std::collections::VecDeque;
use std::time::Duration;

use axum::body::Bytes;
use lingxi_bus::Subject;
use lingxi_domain::event_id::EventId;
use lingxi_domain::replay;
use lingxi_domain::run::RunEvent;
use lingxi_proto::Message as _;
use lingxi_proto::bus::{RunRequest, Watcher};
use lingxi_proto::sink::AiEvent;
use lingxi_store::Run;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::queue::Taken;
use super::subscribers::Subscription;
use crate::state::AppState;

/// How long the first event of a new run may take before it is looked for.
const FIRST_LOOK: Duration = Duration::from_secs(1);
/// How long a run may be silent before it is looked for; also the longest pause between two looks.
const SILENCE: Duration = Duration::from_secs(3);
/// The pause after the first look that led to nothing; it doubles up to [`SILENCE`].
const PAUSE: Duration = Duration::from_millis(100);
/// How long a worker may take to say that it serves a subscriber.
const ANSWER: Duration = Duration::from_secs(1);
/// The largest chunk in a replay, in bytes.
const PIECE: usize = 16 * 1024;
/// Failures of the store in a row before the stream ends; the client resumes.
const MAX_FAILURES: u32 = 20;

/// An event as the client gets it.
#[derive(Debug, PartialEq)]
pub(super) struct Told {
    pub(super) id: EventId,
    pub(super) json: Bytes,
}

/// A client that follows a run.
pub(super) struct Subscriber {
    state: AppState,
    run_id: String,
    place: Subscription,
    /// The client has everything up to here.
    at: EventId,
    /// The number of the newest request to a worker; 0 when none was made.
    session: u32,
    /// The attempt that serves the session; 0 when it is not known yet.
    attempt: i64,
    /// When to look for the run next, if nothing that fits comes until then.
    look_at: Instant,
    /// Looks since something last came that fits.
    looks: u32,
    failures: u32,
    ready: VecDeque<Told>,
    ended: bool,
}

impl Subscriber {
    /// For a client that has everything up to `at` of a run.
    pub(super) fn resuming(
        state: AppState,
        run_id: String,
        place: Subscription,
        at: EventId,
    ) -> Self {
        Self {
            state,
            run_id,
            place,
            at,
            session: 0,
            attempt: 0,
            look_at: Instant::now(),
            looks: 0,
            failures: 0,
            ready: VecDeque::new(),
            ended: false,
        }
    }

    /// For the client that asked: it is told the run's first event, and the worker that takes the run is to send the
    /// rest to the watcher that is returned.
    pub(super) fn asking(state: AppState, run: &Run, place: Subscription) -> (Self, Watcher) {
        // Committed with the run: no need to wait for a worker to say it.
        let named = RunEvent::Run {
            run_id: run.id.clone(),
        };
        let first = EventId {
            generation: run.generation,
            position: named.units(),
        };
        let mut subscriber = Self::resuming(state, run.id.clone(), place, first);
        subscriber.ready.push_back(Told {
            id: first,
            json: named.to_json().into(),
        });
        subscriber.look_at = Instant::now() + FIRST_LOOK;
        let watcher = subscriber.watcher();
        (subscriber, watcher)
    }

    /// Cancelled when the token that opened it works no longer.
    pub(super) fn ended(&self) -> CancellationToken {
        self.place.ended.clone()
    }

    /// The next event; `None` at the end of the stream.
    pub(super) async fn next(&mut self) -> Option<Told> {
        loop {
            if let Some(told) = self.ready.pop_front() {
                return Some(told);
            }
            if self.ended {
                return None;
            }
            match timeout_at(self.look_at, self.place.queue.take()).await {
                Ok(Taken::Event(event)) => self.take(event),
                // The client was too slow for the worker: it goes on from where it stands.
                Ok(Taken::Overflow) => self.look_again(),
                Err(_) => self.look().await,
            }
        }
    }

    /// One event from a worker.
    fn take(&mut self, event: AiEvent) {
        if event.session != self.session || event.attempt < self.attempt {
            return;
        }
        let taken_over = self.attempt != 0 && event.attempt > self.attempt;
        self.attempt = event.attempt;
        let id = EventId::from_i64(event.event_id).unwrap_or(EventId::START);
        // A reset says itself where it goes on; nothing else may leave a gap or overlap.
        let is_reset = id.position == event.after;
        let follows = event.after == self.at.position && id.generation >= self.at.generation;
        if event.detached || taken_over || !(is_reset || follows) {
            self.look_again();
            return;
        }
        self.look_at = Instant::now() + SILENCE;
        self.looks = 0;
        self.at = id;
        self.ended = event.last;
        self.ready.push_back(Told {
            id,
            json: event.json,
        });
    }

    /// What was asked for does not fit, or not any more: nothing that answers it counts, and the run is looked for, the
    /// later the more often that led to nothing.
    fn look_again(&mut self) {
        self.place.queue.expect(0);
        self.look_at = Instant::now() + self.pause();
    }

    fn pause(&self) -> Duration {
        match self.looks {
            0 => Duration::ZERO,
            looks => (PAUSE * 2_u32.saturating_pow(looks.min(8) - 1)).min(SILENCE),
        }
    }

    /// Finds out where the run is: the rest from the store if it has ended, else from whoever executes it now.
    async fn look(&mut self) {
        self.looks = self.looks.saturating_add(1);
        let run = match self.state.store.run(&self.run_id).await {
            Ok(Some(run)) => run,
            Ok(None) => {
                self.ended = true;
                return;
            }
            Err(error) => return self.failed(&error),
        };
        if !run.state.is_final() {
            return self.attach().await;
        }
        match self.state.store.run_steps(&self.run_id).await {
            Ok(steps) => {
                let events: Vec<_> = steps.into_iter().flat_map(|step| step.events).collect();
                let rest = replay::rest(&events, run.generation, self.at, PIECE);
                self.ready.extend(rest.iter().map(|e| Told {
                    id: e.id,
                    json: e.event.to_json().into(),
                }));
                self.ended = true;
            }
            Err(error) => self.failed(&error),
        }
    }

    fn failed(&mut self, error: &lingxi_store::Error) {
        tracing::warn!(%error, run = self.run_id, "a run could not be looked for");
        self.failures += 1;
        self.ended = self.failures >= MAX_FAILURES;
        self.look_at = Instant::now() + self.pause();
    }

    /// Asks whoever executes the run to send the rest here.
    async fn attach(&mut self) {
        let payload = RunRequest {
            run_id: self.run_id.clone(),
            watcher: Some(self.watcher()),
            ..RunRequest::default()
        }
        .encode_to_vec();
        let subject = Subject::RunAttach(self.run_id.clone());
        let answered = match self
            .state
            .bus
            .request(&subject, payload.into(), ANSWER)
            .await
        {
            Ok(pending) => pending.wait().await.is_ok(),
            Err(_) => false,
        };
        let wait = if answered {
            self.failures = 0;
            SILENCE
        } else {
            self.pause()
        };
        self.look_at = Instant::now() + wait;
    }

    /// A new session: events of earlier ones do not count any more.
    fn watcher(&mut self) -> Watcher {
        self.session += 1;
        self.attempt = 0;
        self.place.asks(&self.run_id, self.session);
        Watcher {
            node: self.state.node.clone(),
            sink_id: self.place.id.clone(),
            after: self.at.to_i64(),
            session: self.session,
            ..Watcher::default()
        }
    }
}
