//! Being known to workers: they send events to gateways that the store names, and to nobody else.

use std::time::Duration;

use lingxi_runtime::outage::Outage;
use tokio::time::Instant;

use crate::state::AppState;

/// How long a registration holds.
const HELD_MS: i64 = 15_000;
const EVERY: Duration = Duration::from_secs(4);

/// Keeps this gateway registered until it stops.
pub(crate) async fn run(state: AppState) {
    let (node, address) = (&state.node, &state.options.grpc_advertise);
    let mut outage = Outage::of("registering this gateway, by which workers find it,");
    loop {
        let made = state.store.announce_gateway(node, address, HELD_MS).await;
        let now = Instant::now();
        let next = match made {
            Ok(()) => {
                outage.over(now);
                now + EVERY
            }
            Err(error) => {
                outage.failed(now, &error);
                outage.next_try()
            }
        };
        tokio::select! {
            () = tokio::time::sleep_until(next) => {}
            () = state.stopping.cancelled() => break,
        }
    }
    if let Err(error) = state.store.leave_gateway(node).await {
        tracing::debug!(%error, "this gateway's registration was not removed; it expires");
    }
}
