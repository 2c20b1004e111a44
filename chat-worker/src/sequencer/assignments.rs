//! Which partitions the sequencer reads: assigned, read anew, handed back, lost.

use lingxi_bus::Subject;
use lingxi_store::{Error, Lease, LeaseProgress};

use super::worker::{Owned, Worker};

impl Worker {
    /// Reads a partition; what cannot be read now is tried again while tidying up. Returns true if it could.
    pub(super) async fn assign(&mut self, lease: Lease) -> bool {
        let partition = lease.partition;
        let started = async {
            let info = self.deps.bus.log_info().await?;
            let last = i64::try_from(info.last).unwrap_or(i64::MAX);
            // A new or shorter log is read from its first entry; what was committed before is found to be a repeat.
            let same = lease.stream_created == info.created && lease.stream_pos <= last;
            let stream_pos = if same { lease.stream_pos } else { 0 };
            let after = u64::try_from(stream_pos).unwrap_or(0);
            self.readers += 1;
            let reader = self
                .deps
                .bus
                .read_log(partition, after, self.readers, self.reader_out.clone())
                .await?;
            let cursors = self
                .deps
                .bus
                .subscribe(Subject::Cursors(partition), None, self.cursors.clone())
                .await?;
            Ok::<_, lingxi_bus::Error>((info.created, stream_pos, [reader, cursors]))
        };
        match started.await {
            Ok((stream_created, stream_pos, subscriptions)) => {
                self.pusher
                    .assign(partition, lease.pushed_id, lease.last_id);
                let owned = Owned {
                    epoch: lease.epoch,
                    reader: self.readers,
                    stream_created,
                    stream_pos,
                    pushed_id: lease.pushed_id,
                    last_id: lease.last_id,
                    purged: stream_pos,
                    _subscriptions: subscriptions,
                };
                self.owned.insert(partition, owned);
                true
            }
            Err(error) => {
                tracing::warn!(partition, %error, "cannot read the partition; trying again");
                self.unread.push(lease);
                false
            }
        }
    }

    /// The partition is no longer held in this epoch.
    pub(super) fn revoke(&mut self, partition: u16, epoch: i64) {
        self.owned
            .retain(|number, owned| (*number, owned.epoch) != (partition, epoch));
        self.unread
            .retain(|lease| (lease.partition, lease.epoch) != (partition, epoch));
    }

    /// The bus lost its connection. Its log may be another one now, or shorter: everything is read anew after what is
    /// committed or refused. What waits comes again, except what may have been committed.
    pub(super) async fn read_anew(&mut self) {
        let owned: Vec<(u16, Owned)> = self.owned.drain().collect();
        tracing::info!(partitions = owned.len(), "reading the message log anew");
        self.parts.retain(|part| part.unknown);
        let mut reachable = true;
        for (partition, owned) in owned {
            let lease = Lease {
                partition,
                epoch: owned.epoch,
                stream_created: owned.stream_created,
                stream_pos: owned.stream_pos,
                pushed_id: owned.pushed_id,
                last_id: owned.last_id,
            };
            drop(owned);
            if reachable {
                reachable = self.assign(lease).await;
            } else {
                self.unread.push(lease);
            }
        }
    }

    /// Stops committing for `partitions`, and records how far they were pushed.
    pub(super) async fn hand_back(&mut self, partitions: &[u16]) {
        let progress: Vec<LeaseProgress> = partitions
            .iter()
            .filter_map(|&partition| {
                let owned = self.owned.remove(&partition)?;
                Some(self.lease(partition, &owned, owned.stream_pos))
            })
            .collect();
        self.unread
            .retain(|lease| !partitions.contains(&lease.partition));
        if !progress.is_empty()
            && let Err(error) = self.record_progress(&progress).await
        {
            tracing::debug!(%error, "how far was pushed is not recorded; some entries are pushed twice");
        }
    }

    /// The fence refused: finds out which leases are gone, and drops them.
    ///
    /// # Errors
    /// When the store cannot say.
    pub(super) async fn let_go(&mut self) -> Result<(), Error> {
        let held = self.deps.store.held_leases(&self.owner).await?;
        let lost: Vec<u16> = self
            .owned
            .iter()
            .filter(|(partition, owned)| !held.contains(&(**partition, owned.epoch)))
            .map(|(partition, _)| *partition)
            .collect();
        tracing::warn!(
            ?lost,
            "leases were taken over; nothing of theirs was committed"
        );
        for partition in &lost {
            self.owned.remove(partition);
        }
        Ok(())
    }
}
