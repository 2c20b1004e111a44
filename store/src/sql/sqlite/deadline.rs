//! When a statement of a reader is interrupted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use sqlx::SqliteConnection;

/// Steps of SQLite's machine between two looks at the clock: some tens of microseconds.
const STEPS: i32 = 4_000;
const NONE: u64 = u64::MAX;

static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The end of what a connection is doing, in milliseconds since the process began.
#[derive(Clone)]
pub(super) struct Deadline(Arc<AtomicU64>);

impl Default for Deadline {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(NONE)))
    }
}

impl Deadline {
    /// Makes every statement of this connection end when the deadline has passed.
    pub(super) async fn watch(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let at = Arc::clone(&self.0);
        let mut handle = conn.lock_handle().await?;
        handle.set_progress_handler(STEPS, move || {
            let at = at.load(Ordering::Relaxed);
            at == NONE || now() < at
        });
        Ok(())
    }

    pub(super) fn set(&self, within: Duration) {
        let within = u64::try_from(within.as_millis()).unwrap_or(NONE);
        self.0
            .store(now().saturating_add(within), Ordering::Relaxed);
    }

    pub(super) fn lift(&self) {
        self.0.store(NONE, Ordering::Relaxed);
    }

    /// What is under way ends at once.
    pub(super) fn expire(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

fn now() -> u64 {
    u64::try_from(BEGINNING.elapsed().as_millis()).unwrap_or(NONE - 1)
}
