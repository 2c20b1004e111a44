//! Working, and stopping.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Worker, leases, prune, sweep, take};

/// How long runs may go on after the worker was told to stop.
const GRACE: Duration = Duration::from_secs(3);
/// How long subscribers may take to get what was said before the worker ends.
const FLUSH: Duration = Duration::from_secs(2);

/// Works until `stop`, then drains. Dropped before that, everything that it began ends where it stands.
pub(crate) async fn serve(worker: Arc<Worker>, stop: CancellationToken) {
    tracing::info!(
        worker = worker.name,
        concurrency = worker.concurrency,
        "AI worker is ready"
    );
    let _kill = worker.killed.clone().drop_guard();
    // Leases are renewed as long as a run is held: also while the worker drains.
    let renewing = CancellationToken::new();
    let working = async {
        work(&worker, &stop).await;
        renewing.cancel();
    };
    tokio::join!(working, leases::renew(worker.clone(), renewing.clone()));
    worker.pumps.close();
    let _ = tokio::time::timeout(FLUSH, worker.pumps.wait()).await;
    worker.hub.close(FLUSH).await;
    tracing::info!(worker = worker.name, "AI worker has drained");
}

/// Takes runs until `stop`; returns when none is held any more.
async fn work(worker: &Arc<Worker>, stop: &CancellationToken) {
    tokio::select! {
        () = take::take(worker) => {}
        () = sweep::sweep(worker) => {}
        () = prune::prune(worker) => {}
        () = stop.cancelled() => {}
    }
    worker.tasks.close();
    if tokio::time::timeout(GRACE, worker.tasks.wait())
        .await
        .is_err()
    {
        // The rest is given back: their tasks release them and end.
        worker.runs.stop_all();
        worker.tasks.wait().await;
    }
}
