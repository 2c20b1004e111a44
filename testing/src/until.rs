//! Waiting for a condition: polled to a deadline, never a fixed sleep.

use std::time::{Duration, Instant};

/// How long anything that must happen may take on a loaded two-core machine in a debug build.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Polls `probe` until it answers `Some`.
///
/// # Panics
/// With `what`, at the deadline.
pub async fn until_some<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    let mut pause = Duration::from_millis(2);
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(
            start.elapsed() < DEADLINE,
            "not within {DEADLINE:?}: {what}"
        );
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

/// Polls `probe` until it is true.
///
/// # Panics
/// With `what`, at the deadline.
pub async fn until(what: &str, mut probe: impl AsyncFnMut() -> bool) {
    until_some(what, async || probe().await.then_some(())).await;
}
