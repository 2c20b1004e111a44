//! Runs that ended long ago are removed, with what they committed.

use crate::Store;
use crate::error::Result;
use crate::sql::{Value, args, list};

impl Store {
    /// Removes runs that ended before `ended_before` (milliseconds since the Unix epoch), their steps and what their tools
    /// did, the oldest first, at most `limit`; returns how many. When it is `limit`, there may be more: short transactions
    /// keep nobody waiting. Answers that went into a chat stay, and so does what the assistant remembers.
    pub async fn prune_runs(&self, ended_before: i64, limit: i64) -> Result<u64> {
        self.repeated(|| self.prune_runs_once(ended_before, limit))
            .await
    }

    async fn prune_runs_once(&self, ended_before: i64, limit: i64) -> Result<u64> {
        let sql = "SELECT id FROM runs WHERE finished_at IS NOT NULL AND finished_at < ? ORDER BY finished_at LIMIT ?";
        // Mostly there are none: look without the writer first.
        let mut conn = self.reader().await?;
        let rows = conn.fetch(sql, args![ended_before, limit]).await?;
        drop(conn);
        let ids = rows.iter().map(|r| r.text(0)).collect::<Result<Vec<_>>>()?;
        if ids.is_empty() {
            return Ok(0);
        }
        let keys: Vec<&str> = ids.iter().map(String::as_str).collect();
        let mut tx = self.begin().await?;
        let mut removed = 0;
        for piece in tx.dialect().lists(&keys) {
            for table in ["run_effects", "run_steps"] {
                let sql = format!(
                    "DELETE FROM {table} WHERE run_id IN ({})",
                    list(piece.len())
                );
                tx.conn.execute(sql, piece.clone()).await?;
            }
            let sql = format!(
                "DELETE FROM runs WHERE finished_at < ? AND id IN ({})",
                list(piece.len())
            );
            let values: Vec<Value<'_>> = args![ended_before].into_iter().chain(piece).collect();
            removed += tx.conn.execute(sql, values).await?;
        }
        tx.commit().await?;
        Ok(removed)
    }
}
