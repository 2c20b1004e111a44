//! Who waits to be let into a group.

use lingxi_domain::{GroupId, UserId};

use crate::accounts::{ListedUser, listed_user};
use crate::error::Result;
use crate::sql::args;
use crate::{Store, Tx};

impl Store {
    /// Who waits to be let into a group, longest first, those behind the user `after`, at most `limit`; deleted accounts are
    /// left out. `None` where `after` does not wait any more.
    pub async fn join_requests_page(
        &self,
        group: GroupId,
        after: Option<UserId>,
        limit: i64,
    ) -> Result<Option<Vec<ListedUser>>> {
        let mut conn = self.reader().await?;
        let (since, user) = match after {
            None => (i64::MIN, 0),
            Some(user) => {
                let sql = "SELECT created_at FROM join_requests WHERE group_id = ? AND user_id = ?";
                match conn.fetch_one(sql, args![group, user]).await? {
                    Some(row) => (row.int(0)?, user),
                    None => return Ok(None),
                }
            }
        };
        let sql = "SELECT u.id, u.username, u.nickname, u.avatar, r.created_at \
                   FROM join_requests r JOIN users u ON u.id = r.user_id \
                   WHERE r.group_id = ? AND (r.created_at > ? OR (r.created_at = ? AND r.user_id > ?)) \
                   AND u.deleted_at IS NULL ORDER BY r.created_at, r.user_id LIMIT ?";
        let rows = conn
            .fetch(sql, args![group, since, since, user, limit])
            .await?;
        let waiting: Result<Vec<ListedUser>> = rows.iter().map(listed_user).collect();
        waiting.map(Some)
    }
}

impl Tx {
    /// Somebody asks to be let in; who waits already keeps their place. Lock the group's conversation first.
    pub async fn put_join_request(&mut self, group: GroupId, user: UserId, now: i64) -> Result<()> {
        let sql = format!(
            "INSERT INTO join_requests (group_id, user_id, created_at) VALUES (?, ?, ?){}",
            self.dialect().on_conflict_keep("group_id, user_id")
        );
        self.conn.execute(sql, args![group, user, now]).await?;
        Ok(())
    }

    /// Returns true if somebody waits to be let in.
    pub async fn has_join_request(&mut self, group: GroupId, user: UserId) -> Result<bool> {
        let sql = "SELECT 1 FROM join_requests WHERE group_id = ? AND user_id = ?";
        let row = self.conn.fetch_one(sql, args![group, user]).await?;
        Ok(row.is_some())
    }

    /// How many wait to be let into a group; counted up to `most`.
    pub async fn count_join_requests(&mut self, group: GroupId, most: i64) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM join_requests WHERE group_id = ? LIMIT ?) r";
        let row = self.conn.fetch_one(sql, args![group, most]).await?;
        row.map_or(Ok(0), |r| r.int(0))
    }

    /// Somebody waits no more; answers whether they did.
    pub async fn delete_join_request(&mut self, group: GroupId, user: UserId) -> Result<bool> {
        let sql = "DELETE FROM join_requests WHERE group_id = ? AND user_id = ?";
        Ok(self.conn.execute(sql, args![group, user]).await? == 1)
    }
}
