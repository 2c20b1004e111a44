//! Work queues: jobs wait in memory; their rows in the store are what survives.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::{Job, JobGuard, Lane};

#[derive(Default)]
struct Queue {
    jobs: Mutex<VecDeque<Bytes>>,
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
        self.lane(lane).jobs.lock().push_back(payload);
        // Everybody: whoever is woken may be waiting for another lane.
        self.pushed.notify_waiters();
    }

    fn put_back(&self, lane: Lane, payload: Bytes) {
        self.lane(lane).jobs.lock().push_front(payload);
        self.pushed.notify_waiters();
    }

    fn try_pop(&self, lanes: &[Lane]) -> Option<(Lane, Bytes)> {
        lanes
            .iter()
            .find_map(|&lane| Some((lane, self.lane(lane).jobs.lock().pop_front()?)))
    }
}

struct Guard {
    queues: Arc<Queues>,
    lane: Lane,
    payload: Option<Bytes>,
}

impl JobGuard for Guard {
    fn done(mut self: Box<Self>) {
        self.payload = None;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(payload) = self.payload.take() {
            self.queues.put_back(self.lane, payload);
        }
    }
}

pub(super) async fn pop(queues: &Arc<Queues>, lanes: &[Lane]) -> Job {
    loop {
        let pushed = queues.pushed.notified();
        tokio::pin!(pushed);
        pushed.as_mut().enable();
        if let Some((lane, payload)) = queues.try_pop(lanes) {
            let guard = Guard {
                queues: queues.clone(),
                lane,
                payload: Some(payload.clone()),
            };
            return Job {
                payload,
                lane,
                guard: Box::new(guard),
            };
        }
        pushed.await;
    }
}
