//! Takes leases, keeps them, tells the lane of each change, and gives them up at the end.

use std::collections::HashSet;
use std::time::Duration;

use lingxi_runtime::shutdown::Shutdown;
use tokio::sync::{mpsc, oneshot};

use crate::fanout::Fanout;
use crate::lane::{Command, Lane};
use crate::{Deps, Error, Options, repush};

/// How long a lease holds without being renewed.
const TTL: Duration = Duration::from_secs(10);
/// How often leases are renewed and expired ones looked for.
const RENEW: Duration = Duration::from_secs(3);

struct Keeper {
    options: Options,
    deps: Deps,
    owner: String,
    fanout: Fanout,
    commands: mpsc::Sender<Command>,
    held: HashSet<(u16, i64)>,
}

/// Takes the first leases, then starts the lane and the task that keeps them.
pub(crate) async fn start(
    options: Options,
    deps: Deps,
    lane: Lane,
    commands: mpsc::Sender<Command>,
    fanout: Fanout,
    shutdown: &Shutdown,
) -> Result<(), Error> {
    let owner = lane.owner().to_owned();
    let sole = options.sole;
    let mut keeper = Keeper {
        options,
        deps,
        owner,
        fanout,
        commands,
        held: HashSet::new(),
    };
    shutdown.spawn("chat lane", lane.work());
    keeper.take(sole).await?;
    let stop = shutdown.token();
    shutdown.spawn("chat leases", async move {
        let mut renew = tokio::time::interval(RENEW);
        renew.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = renew.tick() => keeper.renew().await,
            }
        }
        keeper.give_up().await;
    });
    Ok(())
}

impl Keeper {
    async fn take(&mut self, even_held: bool) -> Result<(), lingxi_store::Error> {
        let ttl = i64::try_from(TTL.as_millis()).unwrap_or(i64::MAX);
        let limit = i64::from(self.options.partitions);
        let taken = self
            .deps
            .store
            .take_leases(&self.owner, ttl, limit, even_held)
            .await?;
        if !taken.is_empty() {
            tracing::info!(partitions = taken.len(), "took over partitions");
        }
        for lease in taken {
            self.held.insert((lease.partition, lease.epoch));
            if repush::push_again(&self.deps, &lease).await {
                self.fanout.pushed(lease.partition, lease.last_id);
            }
            let _ = self.commands.send(Command::Own(lease)).await;
        }
        Ok(())
    }

    async fn renew(&mut self) {
        let ttl = i64::try_from(TTL.as_millis()).unwrap_or(i64::MAX);
        match self.deps.store.renew_leases(&self.owner, ttl).await {
            Ok(still) => {
                let still: HashSet<(u16, i64)> = still.into_iter().collect();
                let lost: Vec<(u16, i64)> = self.held.difference(&still).copied().collect();
                for (partition, epoch) in lost {
                    tracing::warn!(partition, epoch, "the lease was taken over");
                    self.held.remove(&(partition, epoch));
                    let _ = self.commands.send(Command::Drop(partition)).await;
                }
            }
            Err(error) => tracing::warn!(%error, "cannot renew leases"),
        }
        if let Err(error) = self.take(false).await {
            tracing::warn!(%error, "cannot take leases");
        }
    }

    async fn give_up(&mut self) {
        let (done, finished) = oneshot::channel();
        if self.commands.send(Command::Finish(done)).await.is_ok() {
            let _ = finished.await;
        }
        if let Err(error) = self.deps.store.release_leases(&self.owner).await {
            tracing::warn!(%error, "cannot give the leases up; they expire");
        }
    }
}
