//! Links by which one joins a group.

use lingxi_domain::{GroupId, UserId};

use crate::error::Result;
use crate::sql::args;
use crate::{Store, Tx};

/// A link that leads into a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviteLink {
    /// Whoever knows it may join.
    pub code: String,
    /// Which group.
    pub group_id: GroupId,
    /// Who made it.
    pub created_by: UserId,
    /// When, milliseconds since the Unix epoch.
    pub created_at: i64,
    /// When it stops working; `None` for never.
    pub expires_at: Option<i64>,
    /// How many may join by it; `None` for any number.
    pub max_uses: Option<i64>,
}

impl Store {
    /// Where a link leads, and who made it; also one that no longer works.
    pub async fn invite_link(&self, code: &str) -> Result<Option<InviteLink>> {
        let sql = "SELECT code, group_id, created_by, created_at, expires_at, max_uses FROM invite_links WHERE code = ?";
        let mut conn = self.reader().await?;
        let Some(row) = conn.fetch_one(sql, args![code]).await? else {
            return Ok(None);
        };
        Ok(Some(InviteLink {
            code: row.text(0)?,
            group_id: row.int(1)?,
            created_by: row.int(2)?,
            created_at: row.int(3)?,
            expires_at: row.opt_int(4)?,
            max_uses: row.opt_int(5)?,
        }))
    }
}

impl Tx {
    /// Writes a new link. Lock the group's conversation first.
    pub async fn put_invite_link(&mut self, link: &InviteLink) -> Result<()> {
        let sql = "INSERT INTO invite_links (code, group_id, created_by, created_at, expires_at, max_uses) \
                   VALUES (?, ?, ?, ?, ?, ?)";
        let values = args![
            &link.code,
            link.group_id,
            link.created_by,
            link.created_at,
            link.expires_at,
            link.max_uses
        ];
        self.conn.execute(sql, values).await?;
        Ok(())
    }

    /// Takes away the links of a group that no longer work, and answers how many are left.
    pub async fn working_links(&mut self, group: GroupId, now: i64) -> Result<i64> {
        let sql =
            "DELETE FROM invite_links WHERE group_id = ? AND (expires_at <= ? OR uses >= max_uses)";
        self.conn.execute(sql, args![group, now]).await?;
        let sql = "SELECT COUNT(*) FROM invite_links WHERE group_id = ?";
        let row = self.conn.fetch_one(sql, args![group]).await?;
        row.map_or(Ok(0), |r| r.int(0))
    }

    /// Somebody joins by a link; answers whether it still leads into that group.
    pub async fn use_invite_link(&mut self, code: &str, group: GroupId, now: i64) -> Result<bool> {
        let sql = "UPDATE invite_links SET uses = uses + 1 WHERE code = ? AND group_id = ? \
                   AND (expires_at IS NULL OR expires_at > ?) AND (max_uses IS NULL OR uses < max_uses)";
        Ok(self.conn.execute(sql, args![code, group, now]).await? == 1)
    }

    /// Takes a link away; answers whether it was there.
    pub async fn delete_invite_link(&mut self, code: &str) -> Result<bool> {
        let sql = "DELETE FROM invite_links WHERE code = ?";
        Ok(self.conn.execute(sql, args![code]).await? == 1)
    }
}
