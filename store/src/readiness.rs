//! Whether the database can be used now.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::Store;
use crate::error::{Error, Result};
use crate::sql::args;

/// How long an answer holds, however many ask.
const FRESH: Duration = Duration::from_secs(1);
/// A write that takes longer is no service.
const LONGEST: Duration = Duration::from_millis(1_800);

/// The last proof, shared by all who ask.
#[derive(Clone, Default)]
pub(crate) struct WriteCheck(Arc<Mutex<Option<Proof>>>);

struct Proof {
    at: Instant,
    outcome: std::result::Result<(), String>,
}

impl Store {
    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        self.reader()
            .await?
            .fetch("SELECT 1", vec![])
            .await
            .map(|_| ())
    }

    /// Whether the database takes writes: a transaction that writes a row and is committed, at most once a second however
    /// many ask. A disk that is full, read-only or too slow is told within two seconds; its end as well, or some seconds
    /// later where writes of others were what had failed.
    ///
    /// # Errors
    /// [`Error::Unavailable`] with the cause.
    pub async fn check_write(&self) -> Result<()> {
        let mut last = self.write_check.0.lock().await;
        if let Some(proof) = last.as_ref().filter(|proof| proof.at.elapsed() < FRESH) {
            return proof.outcome.clone().map_err(Error::away);
        }
        let outcome = match tokio::time::timeout(LONGEST, self.write_a_row()).await {
            Ok(Ok(())) => self.db.disk_failure().map_or(Ok(()), Err),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!(
                "a small write was not committed within {LONGEST:?}"
            )),
        };
        *last = Some(Proof {
            at: Instant::now(),
            outcome: outcome.clone(),
        });
        outcome.map_err(Error::away)
    }

    async fn write_a_row(&self) -> Result<()> {
        let sql = format!(
            "INSERT INTO write_checks (name, checked_at) VALUES (?, {}){}",
            self.dialect().now_ms(),
            self.dialect()
                .on_conflict_overwrite("name", &["checked_at"])
        );
        self.execute(sql, args!["store"]).await.map(|_| ())
    }
}
