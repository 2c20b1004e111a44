//! Who waits to be let into a group.

use lingxi_domain::{GroupId, UserId};

use crate::error::Result;
use crate::sql::args;
use crate::{Store, Tx};

/// Somebody who waits, with what the list shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinRequest {
    /// Who.
    pub user_id: UserId,
    /// The account's name.
    pub username: String,
    /// The name to show.
    pub nickname: String,
    /// The picture's address; may be empty.
    pub avatar: String,
    /// When they asked, milliseconds since the Unix epoch.
    pub created_at: i64,
}

impl Store {
    /// Who waits to be let into a group, longest first, those behind the user `after`, at most `limit`; deleted accounts are
    /// left out. `None` where `after` does not wait any more.
    pub async fn join_requests_page(
        &self,
        group: GroupId,
        after: Option<UserId>,
        limit: i64,
    ) -> Result<Option<Vec<JoinRequest>>> {
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
        rows.iter()
            .map(|row| {
                Ok(JoinRequest {
                    user_id: row.int(0)?,
                    username: row.text(1)?,
                    nickname: row.text(2)?,
                    avatar: row.text(3)?,
                    created_at: row.int(4)?,
                })
            })
            .collect::<Result<_>>()
            .map(Some)
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
