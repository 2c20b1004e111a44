//! Which runs this worker holds: it takes them from the queue, keeps their leases, and gives them back when it stops.

mod active;
mod attach;
mod execute;
mod leases;
mod sweep;

use std::sync::Arc;
use std::time::Duration;

use lingxi_bus::{Job, Lane, SharedBus};
use lingxi_proto::Message as _;
use lingxi_proto::bus::RunRequest;
use lingxi_store::{Claim, Store};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use self::active::Runs;
use crate::agent::Settings;
use crate::providers::Choice;
use crate::sinks::Hub;
use crate::tools::Toolbox;
use crate::{Deps, Options};

/// How long runs may go on after the worker was told to stop.
const GRACE: Duration = Duration::from_secs(3);
/// How long followers may take to get what was said before the worker ends.
const FLUSH: Duration = Duration::from_secs(2);
/// The pause after the bus or the store failed.
const PAUSE: Duration = Duration::from_millis(250);

/// One worker of a process.
pub(crate) struct Worker {
    /// This worker's name in leases; never used before.
    name: String,
    store: Store,
    bus: SharedBus,
    hub: Arc<Hub>,
    choice: Choice,
    settings: Settings,
    runs: Runs,
    slots: Arc<Semaphore>,
    concurrency: usize,
    /// Runs and the pumps of their followers.
    tasks: TaskTracker,
    pumps: TaskTracker,
    /// Ends everything where it stands, as the death of the process would.
    killed: CancellationToken,
}

impl Worker {
    pub(crate) fn new(options: Options, deps: Deps, choice: Choice) -> Self {
        let Deps {
            store,
            bus,
            cache: _,
            im,
        } = deps;
        let Options { ai, cluster_token } = options;
        let killed = CancellationToken::new();
        let concurrency = ai.concurrency.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            name: format!("ai-{}", uuid::Uuid::now_v7().simple()),
            hub: Hub::new(cluster_token, killed.child_token()),
            choice,
            settings: Settings {
                store: store.clone(),
                im,
                tools: Toolbox::new(),
                system_prompt: ai.system_prompt,
                max_steps: ai.max_steps.max(1),
            },
            store,
            bus,
            runs: Runs::default(),
            slots: Arc::new(Semaphore::new(concurrency)),
            concurrency,
            tasks: TaskTracker::new(),
            pumps: TaskTracker::new(),
            killed,
        }
    }
}

/// Works until `stop`, then drains. Dropped before that, everything that it began ends where it stands.
pub(crate) async fn serve(worker: Arc<Worker>, stop: CancellationToken) {
    tracing::info!(
        worker = worker.name,
        concurrency = worker.concurrency,
        "AI worker is ready"
    );
    let _kill = worker.killed.clone().drop_guard();
    let renewing = worker.killed.child_token();
    let renewer = tokio::spawn(leases::renew(worker.clone(), renewing.clone()));
    tokio::select! {
        () = take(&worker) => {}
        () = sweep::sweep(&worker) => {}
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
    renewing.cancel();
    let _ = renewer.await;
    worker.pumps.close();
    let _ = tokio::time::timeout(FLUSH, worker.pumps.wait()).await;
    worker.hub.close(FLUSH).await;
    tracing::info!(worker = worker.name, "AI worker has drained");
}

/// Takes jobs as long as there is room for another run.
async fn take(worker: &Arc<Worker>) {
    loop {
        let Ok(slot) = worker.slots.clone().acquire_owned().await else {
            return;
        };
        match worker.bus.dequeue(&Lane::ALL).await {
            Ok(job) => {
                let span = tracing::info_span!("run", lane = %job.lane);
                job.trace.set_parent(&span);
                let task = begin(worker.clone(), job, slot).instrument(span);
                worker
                    .tasks
                    .spawn(worker.killed.clone().run_until_cancelled_owned(task));
            }
            Err(error) => {
                tracing::warn!(%error, "no job can be taken from the queue");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Claims the run of a job and works on it. The job is done as soon as the row says what is left: whoever loses the
/// run afterwards loses its lease, and the sweeper finds it.
async fn begin(worker: Arc<Worker>, job: Job, slot: OwnedSemaphorePermit) {
    let Ok(request) = RunRequest::decode(job.payload.clone()) else {
        tracing::error!(lane = %job.lane, "a job is no run request; it is dropped");
        job.done();
        return;
    };
    match worker.store.claim_run(&request.run_id, &worker.name).await {
        Ok(Claim::Mine(claimed)) => {
            job.done();
            execute::execute(&worker, *claimed, request.watcher).await;
        }
        Ok(Claim::Held | Claim::Finished | Claim::Unknown) => job.done(),
        Err(error) => {
            tracing::warn!(%error, run = request.run_id, "a run could not be claimed; its job goes back");
            tokio::time::sleep(PAUSE).await;
            drop(job);
        }
    }
    drop(slot);
}
