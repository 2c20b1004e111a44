//! What writes have met of the server's disk.

use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long a failure counts. While a disk fails and somebody writes, it is met more often.
const COUNTS: Duration = Duration::from_secs(3);

/// The last failure of the server's disk, shared by all connections to it. On a full disk a table fails what needs a new
/// page and takes what fits into its old ones, so a small write that succeeds proves nothing about larger ones. Cheap to
/// clone.
#[derive(Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<Option<(Instant, String)>>>);

impl Disk {
    pub(super) fn failed(&self, error: &impl Display) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((Instant::now(), error.to_string()));
    }

    /// Why a write failed just now, if one did.
    pub(crate) fn failing(&self) -> Option<String> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = |(at, _): &&(Instant, String)| at.elapsed() < COUNTS;
        last.as_ref().filter(counts).map(|(_, why)| why.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_failure_counts_for_a_while() {
        let disk = Disk::default();
        assert_eq!(disk.failing(), None);
        disk.clone().failed(&"the table is full");
        assert_eq!(disk.failing().as_deref(), Some("the table is full"));
        tokio::time::advance(COUNTS).await;
        assert_eq!(disk.failing(), None);
    }
}
