//! How far a lane is: recorded in its leases with every batch, and while nothing comes in.

use std::time::Duration;

use lingxi_store::{Error, LeaseProgress};
use tokio::time::Instant;

use super::{Lane, Owned};
use crate::batch::{self, Incoming};

/// How often the log is told to forget what is committed.
const PURGE: Duration = Duration::from_secs(1);

impl Lane {
    /// The leases of a batch as they will be behind it.
    pub(super) fn progress(&self, batch: &[Incoming]) -> Vec<LeaseProgress> {
        let mut progress: Vec<LeaseProgress> = Vec::new();
        for incoming in batch {
            if let Some(known) = progress
                .iter_mut()
                .find(|p| p.partition == incoming.partition)
            {
                known.stream_pos = incoming.position;
            } else if let Some(owned) = self.owned.get(&incoming.partition) {
                progress.push(self.lease(incoming.partition, owned, incoming.position));
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
            pushed_id: self.fanout.pushed_upto(partition),
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
            if !self.own(lease).await {
                break;
            }
        }
        if Instant::now() >= self.push_again_at {
            self.push_again().await;
        }
        let behind: Vec<LeaseProgress> = self
            .owned
            .iter()
            .filter(|(partition, owned)| self.fanout.pushed_upto(**partition) > owned.pushed_id)
            .map(|(partition, owned)| self.lease(*partition, owned, owned.stream_pos))
            .collect();
        if !behind.is_empty() {
            match self.record_progress(&behind).await {
                Err(Error::Fenced) => self.let_go(&mut Vec::new()).await,
                Err(error) => tracing::warn!(%error, "cannot record what was pushed"),
                Ok(()) => {}
            }
        }
        if self.purged_at.elapsed() >= PURGE {
            self.purged_at = Instant::now();
            self.purge().await;
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
