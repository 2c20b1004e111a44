//! One run from its claim to its end, or until it is given back or lost.

use std::sync::Arc;

use lingxi_bus::Lane;
use lingxi_proto::Message as _;
use lingxi_proto::bus::{RunRequest, Watcher};
use lingxi_store::{ClaimedRun, Released, Run};

use super::active::Active;
use super::{Worker, attach};
use crate::agent::{Abandoned, work};
use crate::ledger::Ledger;

/// Ends what must end however the task does.
struct Held<'a> {
    worker: &'a Worker,
    run: Arc<Active>,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.run.log.close();
        self.worker.runs.remove(&self.run);
    }
}

/// Works on a claimed run. `watcher` is the subscriber that it came with.
pub(super) async fn execute(worker: &Arc<Worker>, claimed: ClaimedRun, watcher: Option<Watcher>) {
    let run = &claimed.run;
    let ledger = Ledger::resume(worker.store.clone(), &claimed);
    let active = Active::new(run.id.clone(), run.attempt, ledger.log());
    worker.runs.add(&active);
    let held = Held {
        worker,
        run: active.clone(),
    };
    // Without it subscribers cannot attach, but the run goes on and can be replayed.
    let listening = attach::listen(worker, &active).await;
    if let Err(error) = &listening {
        tracing::warn!(%error, run = run.id, "nobody can attach to this run");
    }
    if let Some(watcher) = watcher {
        attach::follow(worker, &active, watcher);
    }
    let work = work(&worker.settings, &worker.choice, &claimed, ledger);
    let outcome = tokio::select! {
        biased;
        () = active.lost.cancelled() => Err(Abandoned::Lost),
        () = active.stopped.cancelled() => {
            give_back(worker, run, Released::Stopping).await;
            tracing::info!(run = run.id, "given back: this worker stops");
            return;
        }
        outcome = work => outcome,
    };
    let kind = run.kind.as_str();
    match outcome {
        Ok(state) => {
            let attempt = run.attempt;
            tracing::info!(
                run = run.id,
                kind,
                state = state.as_str(),
                attempt,
                "run ended"
            );
            count(kind, state.as_str());
        }
        Err(Abandoned::Lost) => {
            tracing::warn!(
                run = run.id,
                attempt = run.attempt,
                "run lost to another worker"
            );
            count(kind, "lost");
        }
        Err(Abandoned::Away(reason)) => {
            tracing::warn!(
                run = run.id,
                attempt = run.attempt,
                reason,
                "what a run needs is away; it is given back"
            );
            count(kind, "away");
            give_back(worker, run, Released::Away).await;
        }
        Err(Abandoned::Failed(reason)) => {
            tracing::error!(
                run = run.id,
                attempt = run.attempt,
                reason,
                "an attempt failed; the run is given back"
            );
            count(kind, "attempt_failed");
            give_back(worker, run, Released::Failed).await;
        }
    }
    drop(held);
    drop(listening);
}

/// Lets others have the run: at once when this worker stops, otherwise when the sweeper finds it.
async fn give_back(worker: &Worker, run: &Run, why: Released) {
    if let Err(error) = worker.store.release_run(&run.id, run.attempt, why).await {
        tracing::warn!(%error, run = run.id, "a run could not be given back; its lease will expire");
        return;
    }
    if why != Released::Stopping {
        return;
    }
    let lane = lane_of(&run.lane);
    let request = RunRequest {
        run_id: run.id.clone(),
        watcher: None,
        user_id: run.user_id,
    };
    if let Err(error) = worker
        .bus
        .enqueue(lane, request.encode_to_vec().into())
        .await
    {
        tracing::warn!(%error, run = run.id, "a run that was given back waits for the sweeper");
    }
}

/// The queue of that name; unknown ones wait in the last.
pub(super) fn lane_of(name: &str) -> Lane {
    Lane::ALL
        .into_iter()
        .find(|lane| lane.as_str() == name)
        .unwrap_or(Lane::Batch)
}

fn count(kind: &'static str, state: &'static str) {
    metrics::counter!("lingxi_ai_runs_total", "kind" => kind, "state" => state).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_have_the_names_that_rows_hold() {
        for lane in Lane::ALL {
            assert_eq!(lane_of(lane.as_str()), lane);
        }
        assert_eq!(lane_of("?"), Lane::Batch);
    }
}
