//! Whether the database can be used now.

use crate::Store;
use crate::error::Result;
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
    /// many ask. A disk that is full, read-only or too slow is told within two seconds, and so is its end.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] with the cause.
    pub async fn check_write(&self) -> Result<()> {
        self.write_check.proof(self.write_a_row()).await
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
