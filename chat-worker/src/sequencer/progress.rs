//! How far the sequencer is: recorded in its leases with every batch, and while nothing comes in.

use std::time::Duration;

use lingxi_store::{Error, LeaseProgress};
use tokio::time::Instant;

use super::batch;
use super::worker::{Owned, Worker};
use crate::incoming::Incoming;

/// How often the log is told to forget what is committed.
const PURGE: Duration = Duration::from_secs(1);

impl Worker {
    /// The leases of a batch as they will be after it.
    pub(super) fn progress(&self, batch: &[Incoming]) -> Vec<LeaseProgress> {
        let mut progress: Vec<LeaseProgress> = Vec::new();
        for incoming in batch {
            if let Some(known) = progress
                .iter_mut()
                .find(|p| p.partition == incoming.partition)
            {
                known.stream_pos = known.stream_pos.max(incoming.position);
            } else if let Some(owned) = self.owned.get(&incoming.partition) {
                // What came after it may have been refused already.
                let position = owned.stream_pos.max(incoming.position);
                progress.push(self.lease(incoming.partition, owned, position));
            }
        }
        progress
    }

    pub(super) fn lease(&self, partition: u16, owned: &Owned, stream_pos: i64) -> LeaseProgress {
        LeaseProgress {
            partition,
            epoch: owned.epoch,
            stream_created: owned.stream_created,
            stream_pos,
            pushed_id: self.pusher.watermark(partition),
            last_id: owned.last_id,
        }
    }

    pub(super) fn record(&mut self, progress: &[LeaseProgress]) {
        for p in progress {
            if let Some(owned) = self.owned.get_mut(&p.partition) {
                owned.stream_pos = p.stream_pos;
                owned.last_id = p.last_id;
                owned.pushed_id = p.pushed_id;
            }
        }
    }

    pub(super) async fn record_progress(
        &mut self,
        progress: &[LeaseProgress],
    ) -> Result<(), Error> {
        let mut tx = self.committer.begin().await?;
        batch::fence(&mut tx, &self.owner, progress).await?;
        tx.commit().await?;
        self.record(progress);
        Ok(())
    }

    /// Records what was pushed since the last batch, and lets the log forget what is committed.
    pub(super) async fn tidy(&mut self) {
        // One failure says it for all: the bus is away.
        while let Some(lease) = self.unread.pop() {
            if !self.assign(lease).await {
                break;
            }
        }
        if !self.tidying.rests(Instant::now()) {
            self.record_watermarks().await;
        }
        if self.purged_at.elapsed() >= PURGE {
            self.purged_at = Instant::now();
            self.purge().await;
        }
    }

    async fn record_watermarks(&mut self) {
        let moved: Vec<LeaseProgress> = self
            .owned
            .iter()
            .filter(|(partition, owned)| self.pusher.watermark(**partition) > owned.pushed_id)
            .map(|(partition, owned)| self.lease(*partition, owned, owned.stream_pos))
            .collect();
        if moved.is_empty() {
            return;
        }
        let recorded = match self.record_progress(&moved).await {
            Err(Error::Fenced) => self.let_go().await,
            recorded => recorded,
        };
        match recorded {
            Ok(()) => self.tidying.over(Instant::now()),
            Err(error) => self.tidying.failed(Instant::now(), &error),
        }
    }

    async fn purge(&mut self) {
        for (&partition, owned) in &mut self.owned {
            if owned.purged < owned.stream_pos {
                let upto = u64::try_from(owned.stream_pos).unwrap_or(0);
                match self.deps.bus.purge_log(partition, upto).await {
                    Ok(()) => owned.purged = owned.stream_pos,
                    Err(error) => return tracing::warn!(partition, %error, "cannot purge the log"),
                }
            }
        }
    }
}
