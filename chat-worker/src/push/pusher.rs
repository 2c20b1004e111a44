//! The sequencer's way to the pushing.

use std::sync::Arc;

use lingxi_runtime::shutdown::Shutdown;
use tokio::sync::{mpsc, oneshot};

use super::acks::Acks;
use super::again::{self, Again};
use super::committed::Committed;
use super::fanout::{Fanout, Work};
use super::watermark::Watermarks;
use super::webhooks::Webhooks;
use crate::Deps;
use crate::indexer::Waiting;

/// Committed batches that may wait to be pushed; the sequencer waits beyond.
const BATCHES_AHEAD: usize = 4;

/// Pushes what was committed, while the sequencer goes on. Its tasks end when every handle is gone.
#[derive(Clone)]
pub(crate) struct Pusher {
    work: mpsc::Sender<Work>,
    again: Again,
    watermarks: Watermarks,
}

impl Pusher {
    /// Starts the tasks of one worker.
    pub(crate) fn start(
        deps: &Deps,
        partitions: u16,
        index: Arc<Waiting>,
        shutdown: &Shutdown,
    ) -> Self {
        let watermarks = Watermarks::new(partitions);
        let again = again::start(deps, watermarks.clone(), shutdown);
        let acks = Acks::start(deps.bus.clone(), shutdown);
        let (work, received) = mpsc::channel(BATCHES_AHEAD);
        let webhooks = Webhooks::start(deps, shutdown);
        let fanout = Fanout::new(
            deps,
            index,
            acks,
            watermarks.clone(),
            again.clone(),
            webhooks,
        );
        shutdown.spawn("chat fan-out", fanout.work(received));
        Self {
            work,
            again,
            watermarks,
        }
    }

    /// Hands a committed batch over; waits while too many are ahead of it.
    pub(crate) async fn committed(&self, batch: Committed) {
        for &(partition, id) in &batch.upto {
            self.watermarks.commit(partition, id);
        }
        for &partition in &batch.unsure {
            self.watermarks.doubt(partition);
        }
        if !batch.unsure.is_empty() {
            self.again.soon();
        }
        // Fails only when the task has ended, which it does after the sequencer.
        let _ = self.work.send(Work::Batch(batch)).await;
    }

    /// A partition is to be served here. What its former owner may not have pushed (ids after `pushed`, up to `committed`)
    /// is pushed again.
    pub(crate) fn assign(&self, partition: u16, pushed: i64, committed: i64) {
        if self.watermarks.assign(partition, pushed, committed) {
            self.again.soon();
        }
    }

    /// Everything of the partition up to this id was pushed. It never goes back.
    pub(crate) fn watermark(&self, partition: u16) -> i64 {
        self.watermarks.pushed(partition)
    }

    /// Returns when everything that was committed before has been pushed and acknowledged once.
    pub(crate) async fn flushed(&self) {
        let (done, finished) = oneshot::channel();
        if self.work.send(Work::Flush(done)).await.is_ok() {
            let _ = finished.await;
        }
    }
}
