//! Leaving: clients are sent to other gateways, then the ports close.

use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::state::AppState;

/// How long clients may take to go once they were told to.
const LEAVING: Duration = Duration::from_secs(4);

/// Waits for the trigger; then tells every client when to come back, and closes the ports when all have gone and load
/// balancers had time to notice.
pub(crate) async fn run(state: AppState, trigger: CancellationToken) {
    trigger.cancelled().await;
    let lingered = sleep(state.options.drain_linger);
    state.sessions.drain(state.options.drain_spread);
    let emptied = async {
        while !state.sessions.all().is_empty() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    if timeout(LEAVING, emptied).await.is_err() {
        tracing::warn!("some connections did not end in time");
    }
    lingered.await;
    state.stopping.cancel();
}
