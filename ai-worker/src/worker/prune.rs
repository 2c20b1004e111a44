//! Removing runs that ended long ago.

use std::time::Duration;

use lingxi_domain::now_ms;

use super::Worker;

/// How often old runs are looked for.
const EVERY: Duration = Duration::from_secs(600);
/// Runs of one transaction, and the pause before the next: nobody waits for it.
const BATCH: i64 = 100;
const PAUSE: Duration = Duration::from_millis(200);

/// Removes runs that are older than the worker's `retention`, now and then.
pub(super) async fn prune(worker: &Worker) {
    let retention = i64::try_from(worker.retention.as_millis()).unwrap_or(i64::MAX);
    loop {
        let before = now_ms().saturating_sub(retention);
        let pause = match worker.store.prune_runs(before, BATCH).await {
            Ok(removed) if removed > 0 => {
                metrics::counter!("lingxi_ai_runs_pruned_total").increment(removed);
                PAUSE
            }
            Ok(_) => EVERY,
            Err(error) => {
                tracing::warn!(%error, "old runs could not be removed");
                EVERY
            }
        };
        tokio::time::sleep(pause).await;
    }
}
