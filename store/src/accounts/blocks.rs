//! Whom users block. What it means for a private conversation stands at its head, where every message looks anyway.

use std::collections::HashSet;

use lingxi_domain::{ConversationKey, UserId};

use super::listed::{ListedUser, listed_user};
use crate::error::Result;
use crate::sql::args;
use crate::{Store, Tx};

impl Store {
    /// Whom a user blocks, by name, those behind the name `after` in the form under which names are unique (empty for the
    /// first ones), at most `limit`; deleted accounts are left out.
    pub async fn blocked_page(
        &self,
        user: UserId,
        after: &str,
        limit: i64,
    ) -> Result<Vec<ListedUser>> {
        let sql = "SELECT u.id, u.username, u.nickname, u.avatar, b.created_at FROM blocks b JOIN users u ON u.id = b.blocked_id \
                   WHERE b.user_id = ? AND u.username_key > ? AND u.deleted_at IS NULL ORDER BY u.username_key LIMIT ?";
        let values = args![user, after, limit];
        let rows = self.reader().await?.fetch(sql, values).await?;
        rows.iter().map(listed_user).collect()
    }

    /// Those of these users who block `user`.
    pub async fn blockers_among(&self, user: UserId, others: &[UserId]) -> Result<HashSet<UserId>> {
        if others.is_empty() {
            return Ok(HashSet::new());
        }
        let sql = "SELECT user_id FROM blocks WHERE blocked_id = ? AND user_id IN (*)";
        let rows = self
            .reader()
            .await?
            .fetch_in(sql, args![user], others)
            .await?;
        rows.iter().map(|row| row.int(0)).collect()
    }
}

impl Tx {
    /// Returns true if `user` blocks `other`.
    pub async fn blocks(&mut self, user: UserId, other: UserId) -> Result<bool> {
        let sql = "SELECT 1 FROM blocks WHERE user_id = ? AND blocked_id = ?";
        let row = self.conn.fetch_one(sql, args![user, other]).await?;
        Ok(row.is_some())
    }

    /// How many users a user blocks, deleted accounts included; counted up to `most`.
    pub async fn count_blocked(&mut self, user: UserId, most: i64) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM blocks WHERE user_id = ? LIMIT ?) b";
        let row = self.conn.fetch_one(sql, args![user, most]).await?;
        row.map_or(Ok(0), |r| r.int(0))
    }

    /// From the commit on `user` blocks `other`, or no longer. Their conversation says so, begun or not.
    pub async fn set_blocked(
        &mut self,
        (user, other): (UserId, UserId),
        blocked: bool,
        now: i64,
    ) -> Result<()> {
        let key = ConversationKey::direct(user, other).to_string();
        let side = if user < other { 1_i64 } else { 2 };
        let (row, values, mark) = if blocked {
            let keep = self.dialect().on_conflict_keep("conversation");
            let sql = format!(
                "INSERT INTO conversations (conversation, version, last_seq, message_seq, last_time) \
                 VALUES (?, 1, 0, 0, ?){keep}"
            );
            self.conn.execute(sql, args![&key, now]).await?;
            let keep = self.dialect().on_conflict_keep("user_id, blocked_id");
            let row = format!(
                "INSERT INTO blocks (user_id, blocked_id, created_at) VALUES (?, ?, ?){keep}"
            );
            (row, args![user, other, now], "blocked_by | ?")
        } else {
            let row = String::from("DELETE FROM blocks WHERE user_id = ? AND blocked_id = ?");
            (row, args![user, other], "blocked_by & ~?")
        };
        let sql = format!("UPDATE conversations SET blocked_by = {mark} WHERE conversation = ?");
        self.conn.execute(sql, args![side, &key]).await?;
        self.conn.execute(row, values).await?;
        Ok(())
    }
}
