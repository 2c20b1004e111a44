//! Deliveries that did not succeed at once: counted for operators, and removed when they are old.

use std::time::Duration;

use lingxi_domain::now_ms;
use lingxi_store::DeliveryState;
use tokio_util::sync::CancellationToken;

use crate::deps::Shared;

/// How often they are counted, and old ones looked for.
const EVERY: Duration = Duration::from_secs(60);
/// Rows of one transaction.
const BATCH: usize = 200;
const DAY_MS: i64 = 24 * 3600 * 1000;
/// How long one is kept that succeeded in the end.
const DONE_DAYS: i64 = 1;

/// Counts and removes until `stop`.
pub(crate) async fn keep(shared: &Shared, stop: &CancellationToken) {
    loop {
        if let Err(error) = once(shared, stop).await {
            tracing::debug!(%error, "deliveries to webhooks were not counted");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

async fn once(shared: &Shared, stop: &CancellationToken) -> lingxi_store::Result<()> {
    let counted = shared.store.count_deliveries().await?;
    for state in DeliveryState::ALL {
        let found = counted.iter().find(|(of, _)| *of == state);
        let count = found.map_or(0, |(_, count)| *count);
        metrics::gauge!("lingxi_webhook_deliveries", "state" => state.as_str()).set(count as f64);
    }
    for (state, days) in [
        (DeliveryState::Done, DONE_DAYS),
        (DeliveryState::Failed, shared.keep_days),
        (DeliveryState::Dead, shared.keep_days),
    ] {
        let before = now_ms() - days * DAY_MS;
        let store = &shared.store;
        while !stop.is_cancelled() && store.prune_deliveries(state, before, BATCH).await? == BATCH {
        }
    }
    Ok(())
}
