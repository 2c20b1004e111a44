//! Whether the database can be used now.

use crate::Store;
use crate::error::{Error, Result};
use crate::sql::args;

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
        let proof = async {
            self.write_a_row().await?;
            self.db
                .disk_failure()
                .map_or(Ok(()), |cause| Err(Error::away(cause)))
        };
        self.write_check.proof(proof).await
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
