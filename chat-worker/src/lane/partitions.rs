//! Which partitions a lane reads: taken, read anew, given away, lost.

use lingxi_bus::Subject;
use lingxi_store::{Lease, LeaseProgress};

use super::{Lane, Owned, RETRY};
use crate::batch::Incoming;

impl Lane {
    /// Reads a partition; what cannot be read now is tried again while tidying up. Answers whether it could.
    pub(super) async fn own(&mut self, lease: Lease) -> bool {
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
                self.fanout.begin(partition, lease.pushed_id);
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

    pub(super) fn forget(&mut self, partition: u16, epoch: i64) {
        self.owned
            .retain(|number, owned| (*number, owned.epoch) != (partition, epoch));
        self.unread
            .retain(|lease| (lease.partition, lease.epoch) != (partition, epoch));
    }

    /// The bus lost its connection. Its log may be another one now, or shorter, and what was pushed last may not have
    /// arrived: everything is read anew behind what is committed, and pushed again behind what surely was.
    pub(super) async fn read_anew(&mut self) {
        let owned: Vec<(u16, Owned)> = self.owned.drain().collect();
        tracing::info!(partitions = owned.len(), "reading the message log anew");
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
            if lease.last_id > self.fanout.pushed_upto(partition) {
                self.fanout.doubt(partition);
            }
            if reachable {
                reachable = self.own(lease).await;
            } else {
                self.unread.push(lease);
            }
        }
        self.push_again().await;
    }

    /// Stops committing for `partitions`, and records how far they were pushed.
    pub(super) async fn give_away(&mut self, partitions: &[u16]) {
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

    /// The fence refused: finds out which leases are gone, and drops them and their part of the batch.
    pub(super) async fn let_go(&mut self, batch: &mut Vec<Incoming>) {
        let held = match self.deps.store.held_leases(&self.owner).await {
            Ok(held) => held,
            Err(error) => {
                tracing::warn!(%error, "cannot see which leases are held");
                tokio::time::sleep(RETRY).await;
                return;
            }
        };
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
        batch.retain(|incoming| !lost.contains(&incoming.partition));
    }
}
