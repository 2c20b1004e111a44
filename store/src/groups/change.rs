//! What changes about a group, and its end.

use lingxi_domain::policies::{InvitePolicy, JoinPolicy};
use lingxi_domain::role::GroupRole;
use lingxi_domain::{GroupId, Seq, UserId};

use crate::Tx;
use crate::error::Result;
use crate::names::{Kind, folded, reindex};
use crate::sql::args;

/// What a group says of itself, and its rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSettings {
    /// Its name.
    pub name: String,
    /// What its members should know; may be empty.
    pub announcement: String,
    /// How many members it may have.
    pub max_count: i64,
    /// How one joins.
    pub join_policy: JoinPolicy,
    /// Who invites.
    pub invite_policy: InvitePolicy,
}

impl Tx {
    /// What a group says of itself; `None` when there is no such group or it was dismissed. Lock its conversation first.
    pub async fn group_settings(&mut self, id: GroupId) -> Result<Option<GroupSettings>> {
        let sql = "SELECT name, announcement, max_count, join_policy, invite_policy FROM chat_groups \
                   WHERE id = ? AND dismissed_at IS NULL";
        let Some(row) = self.conn.fetch_one(sql, args![id]).await? else {
            return Ok(None);
        };
        Ok(Some(GroupSettings {
            name: row.text(0)?,
            announcement: row.text(1)?,
            max_count: row.int(2)?,
            join_policy: JoinPolicy::from_db(row.int(3)?),
            invite_policy: InvitePolicy::from_db(row.int(4)?),
        }))
    }

    /// Puts these settings in the place of `before`. From the commit on the group is found by its new name, and no longer
    /// by the old one.
    pub async fn put_group_settings(
        &mut self,
        id: GroupId,
        before: &GroupSettings,
        now: &GroupSettings,
    ) -> Result<()> {
        let sql = "UPDATE chat_groups SET name = ?, name_key = ?, announcement = ?, max_count = ?, join_policy = ?, \
                   invite_policy = ? WHERE id = ?";
        let key = folded(&now.name);
        let values = args![
            &now.name,
            &key,
            &now.announcement,
            now.max_count,
            now.join_policy.to_db(),
            now.invite_policy.to_db(),
            id
        ];
        self.conn.execute(sql, values).await?;
        if now.name != before.name {
            let old = folded(&before.name);
            let names: (&[&str], &[&str]) = (&[&old], &[&key]);
            reindex(&mut self.conn, Kind::Group, id, names).await?;
        }
        Ok(())
    }

    /// Ends a group: nobody finds it, and everything that waited for it is gone. Its memberships are the caller's next
    /// step.
    pub async fn dismiss_group(&mut self, id: GroupId, name: &str, now: i64) -> Result<()> {
        let sql = "UPDATE chat_groups SET dismissed_at = ? WHERE id = ?";
        self.conn.execute(sql, args![now, id]).await?;
        let names: (&[&str], &[&str]) = (&[&folded(name)], &[]);
        reindex(&mut self.conn, Kind::Group, id, names).await?;
        for sql in [
            "DELETE FROM join_requests WHERE group_id = ?",
            "DELETE FROM invite_links WHERE group_id = ?",
        ] {
            self.conn.execute(sql, args![id]).await?;
        }
        Ok(())
    }

    /// Ends all memberships of a conversation: nothing behind `left_seq` is seen by anybody.
    pub async fn end_memberships(&mut self, conversation: &str, left_seq: Seq) -> Result<()> {
        let sql = "UPDATE members SET left_seq = ? WHERE conversation = ? AND left_seq IS NULL";
        self.conn
            .execute(sql, args![left_seq, conversation])
            .await?;
        Ok(())
    }

    /// Makes somebody the owner of a group, as its page shows it. The members' roles are the caller's next step.
    pub async fn set_owner(&mut self, id: GroupId, owner: UserId) -> Result<()> {
        let sql = "UPDATE chat_groups SET owner_id = ? WHERE id = ?";
        self.conn.execute(sql, args![owner, id]).await?;
        Ok(())
    }

    /// Gives a present member a role.
    pub async fn set_member_role(
        &mut self,
        conversation: &str,
        user: UserId,
        role: GroupRole,
    ) -> Result<()> {
        let sql = "UPDATE members SET role = ? WHERE conversation = ? AND user_id = ? AND left_seq IS NULL";
        self.conn
            .execute(sql, args![role.to_db(), conversation, user])
            .await?;
        Ok(())
    }

    /// Mutes a present member until then, milliseconds since the Unix epoch; 0 lifts it.
    pub async fn set_muted_until(
        &mut self,
        conversation: &str,
        user: UserId,
        until: i64,
    ) -> Result<()> {
        let sql = "UPDATE members SET muted_until = ? WHERE conversation = ? AND user_id = ? AND left_seq IS NULL";
        self.conn
            .execute(sql, args![until, conversation, user])
            .await?;
        Ok(())
    }
}
