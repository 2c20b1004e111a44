//! Being known to workers: they send events to gateways that the store names, and to nobody else.

use std::time::Duration;

use crate::state::AppState;

/// How long a registration holds.
const HELD_MS: i64 = 15_000;
const EVERY: Duration = Duration::from_secs(4);
/// The pause when it could not be made.
const AGAIN: Duration = Duration::from_millis(500);

/// Keeps this gateway registered until it stops.
pub(crate) async fn run(state: AppState) {
    let (node, address) = (&state.node, &state.options.grpc_advertise);
    loop {
        let made = state.store.announce_gateway(node, address, HELD_MS).await;
        let pause = match made {
            Ok(()) => EVERY,
            Err(error) => {
                tracing::warn!(%error, "this gateway could not be registered; workers may not find it");
                AGAIN
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = state.stopping.cancelled() => break,
        }
    }
    if let Err(error) = state.store.leave_gateway(node).await {
        tracing::debug!(%error, "this gateway's registration was not removed; it expires");
    }
}
