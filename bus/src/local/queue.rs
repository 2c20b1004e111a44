//! Work queues: jobs wait in memory; their rows in the store are what survives.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::{Job, JobGuard, Lane, TraceContext};

#[derive(Clone)]
struct Waiting {
    payload: Bytes,
    trace: TraceContext,
}

#[derive(Default)]
struct Queue {
    jobs: Mutex<VecDeque<Waiting>>,
}

#[derive(Default)]
pub(super) struct Queues {
    interactive: Queue,
    batch: Queue,
    pushed: Notify,
}

impl Queues {
    fn lane(&self, lane: Lane) -> &Queue {
        match lane {
            Lane::Interactive => &self.interactive,
            Lane::Batch => &self.batch,
        }
    }

    pub(super) fn push(&self, lane: Lane, payload: Bytes) {
        let trace = TraceContext::current();
        let job = Waiting { payload, trace };
        self.lane(lane).jobs.lock().push_back(job);
        // Everybody: whoever is woken may be waiting for another lane.
        self.pushed.notify_waiters();
    }

    fn put_back(&self, lane: Lane, job: Waiting) {
        self.lane(lane).jobs.lock().push_front(job);
        self.pushed.notify_waiters();
    }

    fn try_pop(&self, lanes: &[Lane]) -> Option<(Lane, Waiting)> {
        lanes
            .iter()
            .find_map(|&lane| Some((lane, self.lane(lane).jobs.lock().pop_front()?)))
    }
}

struct Guard {
    queues: Arc<Queues>,
    lane: Lane,
    job: Option<Waiting>,
}

impl JobGuard for Guard {
    fn done(mut self: Box<Self>) {
        self.job = None;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(job) = self.job.take() {
            self.queues.put_back(self.lane, job);
        }
    }
}

pub(super) async fn pop(queues: &Arc<Queues>, lanes: &[Lane]) -> Job {
    loop {
        let pushed = queues.pushed.notified();
        tokio::pin!(pushed);
        pushed.as_mut().enable();
        if let Some((lane, job)) = queues.try_pop(lanes) {
            let guard = Guard {
                queues: queues.clone(),
                lane,
                job: Some(job.clone()),
            };
            return Job {
                payload: job.payload,
                trace: job.trace,
                lane,
                guard: Box::new(guard),
            };
        }
        pushed.await;
    }
}
