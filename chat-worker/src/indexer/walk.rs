//! Walking over all conversations, to find those whose log goes on behind the index.

use std::time::Duration;

use lingxi_store::{Error, Store};
use tokio::time::Instant;

/// Conversations that are looked at in one step.
const STEP: usize = 500;
/// How long after the end of a walk the next one begins.
const PAUSE: Duration = Duration::from_secs(30);

pub(super) struct Walk {
    after: String,
    next: Instant,
}

impl Walk {
    pub(super) fn new() -> Self {
        Self {
            after: String::new(),
            next: Instant::now(),
        }
    }

    /// One step, where one is due: the keys of conversations that it found.
    ///
    /// # Errors
    /// When the store fails; the step is made again.
    pub(super) async fn step(&mut self, store: &Store) -> Result<Vec<String>, Error> {
        if Instant::now() < self.next {
            return Ok(Vec::new());
        }
        let (found, next) = store.unindexed_page(&self.after, STEP).await?;
        match next {
            Some(next) => self.after = next,
            None => {
                self.after.clear();
                self.next = Instant::now() + PAUSE;
            }
        }
        Ok(found.into_iter().map(|found| found.conversation).collect())
    }
}
