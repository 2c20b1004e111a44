//! Finding runs that nobody works on: their worker died, or the queue lost them.

use std::time::Duration;

use lingxi_proto::Message as _;
use lingxi_proto::bus::RunRequest;
use lingxi_store::SweptRun;

use super::Worker;
use super::execute::lane_of;

const EVERY: Duration = Duration::from_secs(1);
const LIMIT: i64 = 256;

/// Publishes lost runs again, at once and then every second.
pub(super) async fn sweep(worker: &Worker) {
    loop {
        match worker.store.requeueable_runs(LIMIT).await {
            Ok(swept) => {
                for run in swept {
                    handle(worker, run).await;
                }
            }
            Err(error) => tracing::warn!(%error, "lost runs could not be looked for"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn handle(worker: &Worker, swept: SweptRun) {
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
            if let Err(error) = worker
                .bus
                .enqueue(lane_of(&lane), request.encode_to_vec().into())
                .await
            {
                // It comes up again.
                tracing::warn!(%error, run = request.run_id, "a lost run could not be published");
            }
        }
        SweptRun::GivenUp { run_id } => {
            tracing::error!(run = run_id, "a run failed too often and was given up");
            metrics::counter!("lingxi_ai_runs_total", "kind" => "any", "state" => "given_up")
                .increment(1);
        }
    }
}
