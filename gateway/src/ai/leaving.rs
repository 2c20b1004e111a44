//! Telling workers who follows a run no longer, so that none goes on sending to nobody.

use lingxi_bus::Subject;
use lingxi_proto::Message as _;
use lingxi_proto::bus::{RunRequest, Watcher};
use tokio::sync::mpsc;

use super::subscribers::Left;
use crate::state::AppState;

/// Those who may wait to be told of; a worker has a bound of its own for what is not.
pub(crate) const WAITING: usize = 4096;

/// Tells the workers until the gateway stops.
pub(crate) async fn run(state: AppState, mut left: mpsc::Receiver<Left>) {
    loop {
        let next = tokio::select! {
            next = left.recv() => next,
            () = state.stopping.cancelled() => None,
        };
        let Some(Left {
            run_id,
            subscriber,
            session,
        }) = next
        else {
            return;
        };
        let watcher = Watcher {
            sink_id: subscriber,
            session,
            gone: true,
            ..Watcher::default()
        };
        let request = RunRequest {
            run_id: run_id.clone(),
            watcher: Some(watcher),
            ..RunRequest::default()
        };
        let subject = Subject::RunAttach(run_id);
        let payload = request.encode_to_vec().into();
        if let Err(error) = state.bus.publish(&subject, payload).await {
            tracing::debug!(%error, "a worker was not told that a subscriber has left");
        }
    }
}
