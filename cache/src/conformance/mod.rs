//! What every cache must do, run against each implementation.

#![allow(
    clippy::unwrap_used,
    reason = "a conformance suite is a test: it panics where a promise is broken"
)]

mod attempts;
mod buckets;
mod presence;
mod values;

use std::time::Duration;

use crate::SharedCache;

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);

/// Polls until `check` holds; panics after five seconds.
async fn until<F: AsyncFn() -> bool>(what: &str, check: F) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(5);
    while !check().await {
        assert!(
            tokio::time::Instant::now() < deadline,
            "still not so after 5 s: {what}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Runs the whole suite against an empty cache.
///
/// # Panics
/// Where a promise is broken.
pub async fn run(cache: SharedCache) {
    presence::run(&cache).await;
    buckets::run(&cache).await;
    attempts::run(&cache).await;
    values::counters(&cache).await;
    values::values(&cache).await;
}
