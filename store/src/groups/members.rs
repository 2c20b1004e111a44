//! Who belongs to a conversation, and from which seq to which.

use std::collections::HashMap;

use lingxi_domain::role::GroupRole;
use lingxi_domain::{Seq, UserId};

use crate::error::Result;
use crate::sql::{Row, args, placeholders};
use crate::{Store, Tx};

/// A member's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The conversation's key.
    pub conversation: String,
    /// Who.
    pub user_id: UserId,
    /// The role in a group.
    pub role: GroupRole,
    /// The first entry that the member may see.
    pub joined_seq: Seq,
    /// The last entry that a former member may see; `None` while a member.
    pub left_seq: Option<Seq>,
    /// Muted until then, milliseconds since the Unix epoch.
    pub muted_until: i64,
    /// Everything up to here was confirmed by the member's client.
    pub delivered_seq: Seq,
    /// Everything up to here was read.
    pub read_seq: Seq,
    /// When the member joined, milliseconds since the Unix epoch.
    pub joined_at: i64,
}

impl Member {
    /// Whether the member may see the entry at this place: from their joining to their leaving.
    pub fn sees(&self, seq: Seq) -> bool {
        (self.joined_seq..=self.left_seq.unwrap_or(Seq::MAX)).contains(&seq)
    }

    /// Whether the membership holds now.
    pub fn is_active(&self) -> bool {
        self.left_seq.is_none()
    }
}

const COLUMNS: &str = "conversation, user_id, role, joined_seq, left_seq, muted_until, delivered_seq, read_seq, joined_at";

fn member(row: &Row) -> Result<Member> {
    Ok(Member {
        conversation: row.text(0)?,
        user_id: row.int(1)?,
        role: GroupRole::from_db(row.int(2)?),
        joined_seq: row.int(3)?,
        left_seq: row.opt_int(4)?,
        muted_until: row.int(5)?,
        delivered_seq: row.int(6)?,
        read_seq: row.int(7)?,
        joined_at: row.int(8)?,
    })
}

impl Store {
    /// One user's membership of a conversation, present or past.
    pub async fn member(&self, conversation: &str, user: UserId) -> Result<Option<Member>> {
        let sql = format!("SELECT {COLUMNS} FROM members WHERE conversation = ? AND user_id = ?");
        let row = self
            .reader()
            .await?
            .fetch_one(sql, args![conversation, user])
            .await?;
        row.as_ref().map(member).transpose()
    }

    /// Of these conversations, the first and the last entry that a user may see, and whether the last one is that of their
    /// leaving; a stranger's are left out. One query for many conversations.
    pub async fn visible_to(
        &self,
        user: UserId,
        conversations: &[&str],
    ) -> Result<HashMap<String, (Seq, Seq, bool)>> {
        if conversations.is_empty() {
            return Ok(HashMap::new());
        }
        let sql = "SELECT m.conversation, m.joined_seq, COALESCE(m.left_seq, c.last_seq), m.left_seq \
                   FROM members m JOIN conversations c ON c.conversation = m.conversation \
                   WHERE m.user_id = ? AND m.conversation IN (*)";
        let mut conn = self.reader().await?;
        let rows = conn.fetch_in(sql, args![user], conversations).await?;
        rows.iter()
            .map(|row| {
                let seen = (row.int(1)?, row.int(2)?, row.opt_int(3)?.is_some());
                Ok((row.text(0)?, seen))
            })
            .collect()
    }

    /// The ids of a conversation's present members, lowest first.
    pub async fn active_member_ids(&self, conversation: &str) -> Result<Vec<UserId>> {
        let sql = "SELECT user_id FROM members WHERE conversation = ? AND left_seq IS NULL ORDER BY user_id";
        self.reader()
            .await?
            .fetch(sql, args![conversation])
            .await?
            .iter()
            .map(|r| r.int(0))
            .collect()
    }

    /// The ids of a conversation's present members who may see its entry `seq`, lowest first: who joined later may not.
    pub async fn receivers_of(&self, conversation: &str, seq: Seq) -> Result<Vec<UserId>> {
        let sql = "SELECT user_id FROM members WHERE conversation = ? AND left_seq IS NULL AND joined_seq <= ? \
                   ORDER BY user_id";
        self.reader()
            .await?
            .fetch(sql, args![conversation, seq])
            .await?
            .iter()
            .map(|r| r.int(0))
            .collect()
    }

    /// A present member wants no notifications until then, milliseconds since the Unix epoch; 0 lifts it. Answers whether
    /// they are one.
    pub async fn set_quiet_until(
        &self,
        conversation: &str,
        user: UserId,
        until: i64,
    ) -> Result<bool> {
        let sql = "UPDATE members SET quiet_until = ? WHERE conversation = ? AND user_id = ? AND left_seq IS NULL";
        let values = || args![until, conversation, user];
        let found = self.repeated(async || self.execute(sql, values()).await);
        Ok(found.await? == 1)
    }
}

impl Tx {
    /// One user's membership of a conversation, present or past. Lock the conversation first.
    pub async fn member(&mut self, conversation: &str, user: UserId) -> Result<Option<Member>> {
        let sql = format!("SELECT {COLUMNS} FROM members WHERE conversation = ? AND user_id = ?");
        let row = self.conn.fetch_one(sql, args![conversation, user]).await?;
        row.as_ref().map(member).transpose()
    }

    /// The present members of many conversations.
    pub async fn active_members(&mut self, conversations: &[&str]) -> Result<Vec<Member>> {
        let sql =
            format!("SELECT {COLUMNS} FROM members WHERE conversation IN (*) AND left_seq IS NULL");
        let rows = self.conn.fetch_in(&sql, vec![], conversations).await?;
        rows.iter().map(member).collect()
    }

    /// Adds members, or brings former ones back; what they see begins at `joined_seq`, and their cursors stand before it. Who
    /// left while muted is muted still.
    pub async fn add_members(
        &mut self,
        conversation: &str,
        users: &[(UserId, GroupRole)],
        joined_seq: Seq,
        now: i64,
    ) -> Result<()> {
        for piece in self.dialect().chunks(users) {
            let sql = format!(
                "INSERT INTO members ({COLUMNS}) VALUES {}{}",
                placeholders(piece.len(), 9),
                self.dialect().on_conflict_overwrite(
                    "conversation, user_id",
                    &[
                        "role",
                        "joined_seq",
                        "left_seq",
                        "delivered_seq",
                        "read_seq",
                        "joined_at"
                    ]
                )
            );
            let mut values = Vec::with_capacity(piece.len() * 9);
            for &(user, role) in piece {
                let before = joined_seq - 1;
                values.extend(args![
                    conversation,
                    user,
                    role.to_db(),
                    joined_seq,
                    None::<i64>,
                    0_i64,
                    before,
                    before,
                    now
                ]);
            }
            self.conn.execute(sql, values).await?;
        }
        Ok(())
    }

    /// Ends a membership: nothing behind `left_seq` is seen any more.
    pub async fn end_membership(
        &mut self,
        conversation: &str,
        user: UserId,
        left_seq: Seq,
    ) -> Result<()> {
        let sql = "UPDATE members SET left_seq = ? WHERE conversation = ? AND user_id = ? AND left_seq IS NULL";
        self.conn
            .execute(sql, args![left_seq, conversation, user])
            .await?;
        Ok(())
    }

    /// Adds the two sides of new private conversations (one row for a talk with oneself), seeing everything.
    pub async fn add_direct_members(&mut self, rows: &[(&str, UserId)], now: i64) -> Result<()> {
        for piece in self.dialect().chunks(rows) {
            let sql = format!(
                "INSERT INTO members ({COLUMNS}) VALUES {}{}",
                placeholders(piece.len(), 9),
                self.dialect().on_conflict_keep("conversation, user_id")
            );
            let mut values = Vec::with_capacity(piece.len() * 9);
            for &(conversation, user) in piece {
                values.extend(args![
                    conversation,
                    user,
                    0_i64,
                    1_i64,
                    None::<i64>,
                    0_i64,
                    0_i64,
                    0_i64,
                    now
                ]);
            }
            self.conn.execute(sql, values).await?;
        }
        Ok(())
    }
}
