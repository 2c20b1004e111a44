//! Takes a fair share of the leases, keeps them, tells the sequencer of each change, and gives them up at the end.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lingxi_bus::{Message, Sink, Subject};
use lingxi_runtime::shutdown::Shutdown;
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::sequencer::Sequencer;
use crate::{Deps, Error, Options};
use lingxi_runtime::outage::Outage;

/// How long a lease, and the announcement of a worker, holds without being renewed.
const TTL_MS: i64 = 6_000;
/// How often both are renewed.
const RENEW: Duration = Duration::from_secs(1);
/// How often leases that are free or have expired are looked for.
const LOOK: Duration = Duration::from_millis(500);

struct Keeper {
    options: Options,
    deps: Deps,
    sequencer: Sequencer,
    held: HashSet<(u16, i64)>,
    /// Leases that are one worker's part.
    share: usize,
    announcing: Outage,
    renewing: Outage,
    taking: Outage,
}

/// Takes the first leases, then starts the task that keeps them.
pub(crate) async fn start(
    options: Options,
    deps: Deps,
    sequencer: Sequencer,
    shutdown: &Shutdown,
) -> Result<(), Error> {
    let sole = options.sole;
    let mut keeper = Keeper {
        options,
        deps,
        sequencer,
        held: HashSet::new(),
        share: 0,
        announcing: Outage::of("saying that this worker is there"),
        renewing: Outage::of("renewing leases"),
        taking: Outage::of("taking leases"),
    };
    keeper.announce().await?;
    keeper.take(sole).await?;
    let released = Arc::new(Released(Notify::new()));
    let listening = keeper
        .deps
        .bus
        .subscribe(Subject::Leases, None, released.clone());
    let listening = listening.await?;
    let stop = shutdown.token();
    shutdown.spawn("chat leases", async move {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut renewed = Instant::now();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = released.0.notified() => {}
                _ = look.tick() => {}
            }
            if renewed.elapsed() >= RENEW {
                renewed = Instant::now();
                keeper.renew().await;
            }
            match keeper.take(false).await {
                Ok(()) => keeper.taking.over(Instant::now()),
                Err(error) => keeper.taking.failed(Instant::now(), &error),
            }
        }
        drop(listening);
        keeper.give_up().await;
    });
    Ok(())
}

/// Hears that partitions were given up, so that they need not wait for the next look.
struct Released(Notify);

impl Sink for Released {
    fn deliver(&self, _: &Subject, _: Message) {
        self.0.notify_one();
    }
}

impl Keeper {
    /// Says that this worker is there, and learns how many leases are its part.
    async fn announce(&mut self) -> Result<(), lingxi_store::Error> {
        let workers = self
            .deps
            .store
            .announce_worker(self.sequencer.owner(), TTL_MS)
            .await?
            .max(1);
        let workers = usize::try_from(workers).unwrap_or(usize::MAX);
        self.share = usize::from(self.options.partitions).div_ceil(workers);
        Ok(())
    }

    /// Takes what is free, up to this worker's share. `even_held` is for the only worker there can be.
    async fn take(&mut self, even_held: bool) -> Result<(), lingxi_store::Error> {
        let room = self.share.saturating_sub(self.held.len());
        if room == 0 {
            return Ok(());
        }
        let limit = i64::try_from(room).unwrap_or(i64::MAX);
        let taken = self
            .deps
            .store
            .take_leases(self.sequencer.owner(), TTL_MS, limit, even_held)
            .await?;
        if !taken.is_empty() {
            tracing::info!(
                partitions = taken.len(),
                held = self.held.len() + taken.len(),
                "took over partitions"
            );
        }
        for lease in taken {
            self.held.insert((lease.partition, lease.epoch));
            self.sequencer.assign(lease).await;
        }
        metrics::gauge!("lingxi_partitions_held").set(self.held.len() as f64);
        Ok(())
    }

    async fn renew(&mut self) {
        match self.announce().await {
            Ok(()) => self.announcing.over(Instant::now()),
            Err(error) => self.announcing.failed(Instant::now(), &error),
        }
        match self
            .deps
            .store
            .renew_leases(self.sequencer.owner(), TTL_MS)
            .await
        {
            Ok(still) => {
                self.renewing.over(Instant::now());
                let still: HashSet<(u16, i64)> = still.into_iter().collect();
                let lost: Vec<(u16, i64)> = self.held.difference(&still).copied().collect();
                for (partition, epoch) in lost {
                    tracing::warn!(partition, epoch, "the lease was taken over");
                    self.held.remove(&(partition, epoch));
                    self.sequencer.revoke(partition, epoch).await;
                }
                self.release_unserved(&still).await;
            }
            Err(error) => self.renewing.failed(Instant::now(), &error),
        }
        self.share_out().await;
    }

    /// A lease that was taken, or given up, by a statement whose answer was lost would be renewed for ever, and served by
    /// nobody.
    async fn release_unserved(&self, still: &HashSet<(u16, i64)>) {
        let unserved: Vec<(u16, i64)> = still.difference(&self.held).copied().collect();
        if unserved.is_empty() {
            return;
        }
        tracing::warn!(
            leases = unserved.len(),
            "giving up leases of this worker that it does not serve"
        );
        self.release(&unserved).await;
    }

    /// Releases these leases; what fails is done by the next renewal.
    async fn release(&self, leases: &[(u16, i64)]) {
        let released = self
            .deps
            .store
            .release_some_leases(self.sequencer.owner(), leases)
            .await;
        match released {
            Ok(()) => self.tell().await,
            Err(error) => tracing::warn!(%error, "cannot give leases up; trying again"),
        }
    }

    /// Gives up what is more than this worker's share, so that a worker that has joined can take it.
    async fn share_out(&mut self) {
        let surplus: Vec<(u16, i64)> = self.held.iter().skip(self.share).copied().collect();
        if surplus.is_empty() {
            return;
        }
        let partitions: Vec<u16> = surplus.iter().map(|(partition, _)| *partition).collect();
        self.sequencer.hand_back(partitions).await;
        for lease in &surplus {
            self.held.remove(lease);
        }
        tracing::info!(
            partitions = surplus.len(),
            held = self.held.len(),
            "gave up partitions for another worker"
        );
        self.release(&surplus).await;
    }

    /// Tells the other workers that there is something to take.
    async fn tell(&self) {
        let told = self.deps.bus.publish(&Subject::Leases, Bytes::new()).await;
        if let Err(error) = told {
            tracing::debug!(%error, "other workers find what was given up by themselves");
        }
    }

    async fn give_up(&mut self) {
        self.sequencer.finish().await;
        if let Err(error) = self.deps.store.release_leases(self.sequencer.owner()).await {
            tracing::warn!(%error, "cannot give the leases up; they expire");
        }
        if let Err(error) = self.deps.store.leave_worker(self.sequencer.owner()).await {
            tracing::warn!(%error, "cannot say that this worker has gone; others notice");
        }
        self.tell().await;
        let _ = self.deps.bus.flush().await;
    }
}
