//! Members of groups with what lists show of them.

use lingxi_domain::role::GroupRole;
use lingxi_domain::{Seq, UserId};

use crate::Store;
use crate::error::Result;
use crate::sql::{Row, args};

/// A member of a group with what its page shows.
#[derive(Clone, Debug)]
pub struct GroupMember {
    /// Who.
    pub user_id: UserId,
    /// The account's name.
    pub username: String,
    /// The name to show.
    pub nickname: String,
    /// The picture's address.
    pub avatar: String,
    /// The role in the group.
    pub role: GroupRole,
    /// When the member joined, milliseconds since the Unix epoch.
    pub joined_at: i64,
    /// Muted until then, milliseconds since the Unix epoch.
    pub muted_until: i64,
}

fn group_member(row: &Row) -> Result<GroupMember> {
    Ok(GroupMember {
        user_id: row.int(0)?,
        username: row.text(1)?,
        nickname: row.text(2)?,
        avatar: row.text(3)?,
        role: GroupRole::from_db(row.int(4)?),
        joined_at: row.int(5)?,
        muted_until: row.int(6)?,
    })
}

/// What [`group_member`] reads, from the present members of a conversation.
const SHOWN: &str = "SELECT u.id, u.username, u.nickname, u.avatar, m.role, m.joined_at, m.muted_until \
                     FROM members m JOIN users u ON u.id = m.user_id WHERE m.conversation = ? AND m.left_seq IS NULL";

impl Store {
    /// All present members of a group, the owner first, then by when they joined.
    pub async fn group_members(&self, conversation: &str) -> Result<Vec<GroupMember>> {
        self.members_page(conversation, None, i64::MAX).await
    }

    /// A group's present members in the order of [`Self::group_members`], those behind the member `after` (also one who
    /// has left meanwhile), at most `limit`. Behind somebody who never was a member there is nobody.
    pub async fn members_page(
        &self,
        conversation: &str,
        after: Option<UserId>,
        limit: i64,
    ) -> Result<Vec<GroupMember>> {
        let mut conn = self.reader().await?;
        let sql = "SELECT role, joined_at FROM members WHERE conversation = ? AND user_id = ?";
        let (role, joined_at, user) = match after {
            None => (i64::MAX, 0, 0),
            Some(user) => match conn.fetch_one(sql, args![conversation, user]).await? {
                Some(row) => (row.int(0)?, row.int(1)?, user),
                None => return Ok(Vec::new()),
            },
        };
        let sql = format!(
            "{SHOWN} AND (m.role < ? OR (m.role = ? AND \
             (m.joined_at > ? OR (m.joined_at = ? AND m.user_id > ?)))) \
             ORDER BY m.role DESC, m.joined_at, m.user_id LIMIT ?"
        );
        let values = args![conversation, role, role, joined_at, joined_at, user, limit];
        let rows = conn.fetch(sql, values).await?;
        rows.iter().map(group_member).collect()
    }

    /// Present members of a group who may see its entry `seq` and have read it, without `sender`, by when they joined.
    pub async fn readers_of(
        &self,
        (conversation, seq): (&str, Seq),
        sender: UserId,
    ) -> Result<Vec<GroupMember>> {
        let sql = format!(
            "{SHOWN} AND m.joined_seq <= ? AND m.read_seq >= ? AND m.user_id <> ? ORDER BY m.joined_at, m.user_id"
        );
        let mut conn = self.reader().await?;
        let values = args![conversation, seq, seq, sender];
        let rows = conn.fetch(sql, values).await?;
        rows.iter().map(group_member).collect()
    }

    /// One present member of a group.
    pub async fn group_member(
        &self,
        conversation: &str,
        user: UserId,
    ) -> Result<Option<GroupMember>> {
        let sql = format!("{SHOWN} AND m.user_id = ?");
        let mut conn = self.reader().await?;
        let row = conn.fetch_one(sql, args![conversation, user]).await?;
        row.as_ref().map(group_member).transpose()
    }
}
