//! The chat workers that are alive, so that each can tell what its fair share of the partitions is.

use crate::Store;
use crate::error::Result;
use crate::sql::args;

/// How long a worker's row outlives its expiry, in milliseconds.
const KEPT_MS: i64 = 60_000;

impl Store {
    /// Says that a worker is alive for another `ttl_ms`, by the database's clock; answers how many are, the caller
    /// included. Rows that expired long ago are removed.
    pub async fn announce_worker(&self, owner: &str, ttl_ms: i64) -> Result<u32> {
        let (now, dialect) = (self.dialect().now_ms(), self.dialect());
        let sql = format!(
            "INSERT INTO chat_workers (owner, expires_at) VALUES (?, {now} + ?){}",
            dialect.on_conflict_overwrite("owner", &["expires_at"])
        );
        let announced = || self.execute(sql.clone(), args![owner, ttl_ms]);
        self.retried(announced).await?;
        let sql = format!(
            "SELECT COUNT(CASE WHEN expires_at >= {now} THEN 1 END), COUNT(CASE WHEN expires_at < {now} - ? THEN 1 END) \
             FROM chat_workers WHERE owner <> ?"
        );
        let row = self
            .reader()
            .await?
            .fetch_one(sql, args![KEPT_MS, owner])
            .await?;
        let (others, dead) = match row {
            Some(row) => (row.int(0)?, row.int(1)?),
            None => (0, 0),
        };
        if dead > 0 {
            let sql = format!("DELETE FROM chat_workers WHERE expires_at < {now} - ?");
            let removed = || self.execute(sql.clone(), args![KEPT_MS]);
            self.retried(removed).await?;
        }
        Ok(u32::try_from(others).unwrap_or(u32::MAX).saturating_add(1))
    }

    /// Says that a worker stops; the others' shares grow at their next [`Store::announce_worker`].
    pub async fn leave_worker(&self, owner: &str) -> Result<()> {
        let left = || self.execute("DELETE FROM chat_workers WHERE owner = ?", args![owner]);
        self.retried(left).await?;
        Ok(())
    }
}
