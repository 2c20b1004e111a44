//! Taking runs: from the queue, and from the store what was passed over in the queue.

use std::sync::Arc;
use std::time::Duration;

use lingxi_bus::{Job, Lane};
use lingxi_proto::Message as _;
use lingxi_proto::bus::{RunRequest, Watcher};
use lingxi_runtime::outage::Outage;
use lingxi_store::Claim;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::shares::Slot;
use super::{Worker, execute};

/// The pause after the bus or the store failed.
const PAUSE: Duration = Duration::from_millis(250);

/// Takes jobs as long as there is room for another run.
pub(super) async fn take(worker: &Arc<Worker>) {
    let mut outage = Outage::of("taking jobs from the queue");
    loop {
        let Ok(room) = worker.slots.clone().acquire_owned().await else {
            return;
        };
        match worker.bus.dequeue(&Lane::ALL).await {
            Ok(job) => {
                outage.over(Instant::now());
                begin(worker, job, room);
            }
            Err(error) => {
                outage.failed(Instant::now(), &error);
                outage.rest().await;
            }
        }
    }
}

/// Begins with a job. The run of a user who has their share already is passed over: it waits in the store until one of
/// theirs ends, and whoever is behind it in the queue does not wait for it.
fn begin(worker: &Arc<Worker>, job: Job, room: OwnedSemaphorePermit) {
    let Ok(request) = RunRequest::decode(job.payload.clone()) else {
        tracing::error!(lane = %job.lane, "a job is no run request; it is dropped");
        return job.done();
    };
    // A job that does not say whose it is has no share.
    let slot = if request.user_id == 0 {
        None
    } else if let Some(slot) = worker.shares.take(request.user_id) {
        Some(slot)
    } else {
        metrics::counter!("lingxi_ai_runs_passed_over_total").increment(1);
        return job.done();
    };
    let span = tracing::info_span!("run", lane = %job.lane);
    job.trace.set_parent(&span);
    let task = held(worker.clone(), job, request, slot, room).instrument(span);
    worker
        .tasks
        .spawn(worker.killed.clone().run_until_cancelled_owned(task));
}

async fn held(
    worker: Arc<Worker>,
    job: Job,
    request: RunRequest,
    slot: Option<Slot>,
    room: OwnedSemaphorePermit,
) {
    if !claim(&worker, &request.run_id, request.watcher, Some(job)).await {
        tokio::time::sleep(PAUSE).await;
    }
    // In the place of the one that ended: those of the user's that were passed over.
    while let Some(slot) = slot.as_ref().filter(|slot| slot.was_passed_over()) {
        if worker.tasks.is_closed() {
            break;
        }
        match worker.store.waiting_run(slot.user()).await {
            Ok(Some(run)) => {
                slot.pass_over();
                if !claim(&worker, &run, None, None).await {
                    break;
                }
            }
            Ok(None) => {}
            Err(error) => {
                // The sweeper finds them.
                tracing::warn!(%error, "runs that were passed over could not be looked for");
                break;
            }
        }
    }
    drop(slot);
    drop(room);
}

/// Claims a run and works on it. Its job is done as soon as the row says what is left: whoever loses the run afterwards
/// loses its lease, and the sweeper finds it. False when the store failed: the job goes back.
async fn claim(
    worker: &Arc<Worker>,
    run_id: &str,
    watcher: Option<Watcher>,
    job: Option<Job>,
) -> bool {
    match worker.store.claim_run(run_id, &worker.name).await {
        Ok(claim) => {
            if let Some(job) = job {
                job.done();
            }
            if let Claim::Mine(claimed) = claim {
                execute::execute(worker, *claimed, watcher).await;
            }
            true
        }
        Err(error) => {
            tracing::warn!(%error, run = run_id, "a run could not be claimed; its job goes back");
            drop(job);
            false
        }
    }
}
