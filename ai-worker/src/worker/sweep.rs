//! Finding runs that nobody works on: their worker died, or the queue lost them.

use std::time::Duration;

use lingxi_proto::Message as _;
use lingxi_proto::bus::RunRequest;
use lingxi_runtime::outage::Outage;
use lingxi_store::SweptRun;
use tokio::time::Instant;

use super::Worker;
use super::execute::lane_of;

const EVERY: Duration = Duration::from_secs(1);
const LIMIT: i64 = 256;

/// Publishes lost runs again, at once and then every second.
pub(super) async fn sweep(worker: &Worker) {
    let mut looking = Outage::of("looking for lost runs");
    let mut publishing = Outage::of("publishing lost runs");
    loop {
        match worker.store.requeueable_runs(LIMIT).await {
            Ok(swept) => {
                looking.over(Instant::now());
                for run in swept {
                    handle(worker, run, &mut publishing).await;
                }
            }
            Err(error) => looking.failed(Instant::now(), &error),
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn handle(worker: &Worker, swept: SweptRun, publishing: &mut Outage) {
    match swept {
        SweptRun::Requeued {
            run_id,
            lane,
            user_id,
        } => {
            tracing::info!(run = run_id, "a run without a worker is published again");
            metrics::counter!("lingxi_ai_runs_requeued_total").increment(1);
            let request = RunRequest {
                run_id,
                watcher: None,
                user_id,
            };
            let payload = request.encode_to_vec().into();
            match worker.bus.enqueue(lane_of(&lane), payload).await {
                Ok(()) => publishing.over(Instant::now()),
                // It comes up again.
                Err(error) => publishing.failed(Instant::now(), &error),
            }
        }
        SweptRun::GivenUp { run_id } => {
            tracing::error!(run = run_id, "a run failed too often and was given up");
            metrics::counter!("lingxi_ai_runs_total", "kind" => "any", "state" => "given_up")
                .increment(1);
        }
    }
}
