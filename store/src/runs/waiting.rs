//! What a user has under way.

use lingxi_domain::UserId;

use crate::error::Result;
use crate::sql::args;
use crate::{Store, Tx};

impl Store {
    /// The oldest run of this user that waits for a worker.
    pub async fn waiting_run(&self, user: UserId) -> Result<Option<String>> {
        let sql = "SELECT id FROM runs WHERE user_id = ? AND finished_at IS NULL AND state = 'queued' \
                   ORDER BY created_at LIMIT 1";
        let row = self.reader().await?.fetch_one(sql, args![user]).await?;
        row.map(|row| row.text(0)).transpose()
    }
}

impl Tx {
    /// How many runs of this user have not ended. Nobody else adds one before this transaction ends: the user's row is
    /// locked.
    pub(super) async fn unfinished_runs(&mut self, user: UserId) -> Result<i64> {
        let lock = format!(
            "SELECT id FROM users WHERE id = ?{}",
            self.dialect().for_update()
        );
        self.conn.fetch_one(lock, args![user]).await?;
        let sql = "SELECT COUNT(*) FROM runs WHERE user_id = ? AND finished_at IS NULL";
        let row = self.conn.fetch_one(sql, args![user]).await?;
        row.map_or(Ok(0), |row| row.int(0))
    }
}
