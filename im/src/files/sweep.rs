//! Removing files that nobody needs.

use std::time::Duration;

use lingxi_domain::now_ms;
use lingxi_files::Key;

use super::Files;
use crate::Result;

/// Files of one batch: nobody waits for it.
const BATCH: i64 = 100;
/// An upload or a removal that has taken so long was given up: its process was killed.
const GIVEN_UP: Duration = Duration::from_secs(3600);

impl Files<'_> {
    /// Removes files that no message has had for as long as they are kept then, and what uploads have left that were given
    /// up; at most a hundred. Of several processes each removes others. Answers how many, and whether there may be more.
    ///
    /// # Errors
    /// When the store fails; what was claimed and not removed comes up again.
    pub async fn sweep(&self) -> Result<(u64, bool)> {
        let blobs = &self.im.blobs;
        if !blobs.is_there() {
            return Ok((0, false));
        }
        let ago = |age: Duration| {
            let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
            now_ms().saturating_sub(age)
        };
        let before = (ago(self.im.config.files.unsent), ago(GIVEN_UP));
        let claimed = self.im.store.claim_unused_files(before, BATCH).await?;
        let full = i64::try_from(claimed.len()).is_ok_and(|count| count >= BATCH);
        let mut swept = blobs.sweep_incoming(GIVEN_UP).await?;
        for file in claimed {
            if let Some(key) = Key::parse(&file.blob_key)
                && let Err(error) = blobs.delete(&key).await
            {
                tracing::warn!(%error, id = file.id, "a file is removed later");
                continue;
            }
            self.im.store.forget_file(file.id).await?;
            swept += 1;
        }
        Ok((swept, full))
    }
}
