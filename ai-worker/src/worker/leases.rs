//! Keeping the leases of the runs that are held.

use std::sync::Arc;
use std::time::Duration;

use lingxi_runtime::outage::Outage;
use lingxi_store::RUN_LEASE_MS;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Worker;

/// How often leases are renewed: three tries fit into one.
const EVERY: Duration = Duration::from_millis(1_500);

/// Renews the leases of all runs in one go, again and again. A run that is not held any more is stopped; so are all
/// when the store has been away for longer than a lease, since others may have them by now.
pub(super) async fn renew(worker: Arc<Worker>, stop: CancellationToken) {
    let lease = Duration::from_millis(u64::try_from(RUN_LEASE_MS).unwrap_or(0));
    let mut since = Instant::now();
    let mut outage = Outage::of("renewing the leases of runs");
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
        let runs = worker.runs.all();
        let asked: Vec<_> = runs
            .iter()
            .map(|run| (run.run_id.clone(), run.attempt))
            .collect();
        let before = Instant::now();
        match worker.store.renew_run_leases(&worker.name, &asked).await {
            Ok(held) => {
                since = before;
                outage.over(before);
                for run in &runs {
                    let is_held = held
                        .iter()
                        .any(|h| h.run_id == run.run_id && h.attempt == run.attempt);
                    if !is_held {
                        run.lost.cancel();
                    }
                }
            }
            Err(error) => {
                outage.failed(Instant::now(), &error);
                if since.elapsed() > lease {
                    runs.iter().for_each(|run| run.lost.cancel());
                }
            }
        }
    }
}
