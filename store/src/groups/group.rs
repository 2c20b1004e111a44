//! Groups. Who is in them is in `members`, under the conversation `g:<id>`.

use std::collections::HashSet;

use lingxi_domain::role::GroupRole;
use lingxi_domain::{GroupId, UserId};

use crate::error::Result;
use crate::sql::{Dialect, Row, args, containing};
use crate::{Store, Tx};

/// A group with what its page shows to one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// The owner's username.
    pub owner: String,
    /// What its members should know; may be empty.
    pub announcement: String,
    /// How many members it may have.
    pub max_count: i64,
    /// How many it has.
    pub member_count: i64,
    /// The asking user's role in it; `None` for those who are not in it.
    pub role: Option<GroupRole>,
    /// When it was made, milliseconds since the Unix epoch.
    pub created_at: i64,
}

/// A group to be made.
#[derive(Clone, Debug)]
pub struct NewGroup<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its owner.
    pub owner_id: UserId,
    /// What its members should know.
    pub announcement: &'a str,
    /// How many members it may have.
    pub max_count: i64,
    /// Now, milliseconds since the Unix epoch.
    pub created_at: i64,
}

/// The rows that show a group; the first `?` is the asking user. Dismissed groups are left out.
fn select(dialect: Dialect) -> String {
    format!(
        "SELECT g.id, g.name, u.username, g.announcement, g.max_count, g.created_at, \
           (SELECT COUNT(*) FROM members c WHERE c.conversation = {key} AND c.left_seq IS NULL), \
           (SELECT m.role FROM members m WHERE m.conversation = {key} AND m.user_id = ? AND m.left_seq IS NULL) \
         FROM chat_groups g LEFT JOIN users u ON u.id = g.owner_id WHERE g.dismissed_at IS NULL",
        key = dialect.group_key("g.id")
    )
}

fn group(row: &Row) -> Result<Group> {
    Ok(Group {
        id: row.int(0)?,
        name: row.text(1)?,
        owner: row.opt_text(2)?.unwrap_or_default(),
        announcement: row.text(3)?,
        max_count: row.int(4)?,
        created_at: row.int(5)?,
        member_count: row.int(6)?,
        role: row.opt_int(7)?.map(GroupRole::from_db),
    })
}

impl Store {
    /// A group as `viewer` sees it; `None` when there is none or it was dismissed.
    pub async fn group(&self, id: GroupId, viewer: UserId) -> Result<Option<Group>> {
        let sql = format!("{} AND g.id = ?", select(self.dialect()));
        let row = self
            .reader()
            .await?
            .fetch_one(sql, args![viewer, id])
            .await?;
        row.as_ref().map(group).transpose()
    }

    /// Those of these groups that exist and were not dismissed.
    pub async fn existing_groups(&self, ids: &[GroupId]) -> Result<HashSet<GroupId>> {
        if ids.is_empty() {
            return Ok(HashSet::new());
        }
        let sql = "SELECT id FROM chat_groups WHERE id IN (*) AND dismissed_at IS NULL";
        let rows = self.reader().await?.fetch_in(sql, vec![], ids).await?;
        rows.iter().map(|r| r.int(0)).collect()
    }

    /// The groups that a user is in, lowest id first.
    pub async fn groups_of(&self, user: UserId) -> Result<Vec<Group>> {
        let sql = format!(
            "{} AND g.id IN (SELECT {} FROM members o WHERE o.user_id = ? AND o.left_seq IS NULL \
             AND o.conversation LIKE 'g:%') ORDER BY g.id",
            select(self.dialect()),
            self.dialect().group_id_of("o.conversation")
        );
        let rows = self.reader().await?.fetch(sql, args![user, user]).await?;
        rows.iter().map(group).collect()
    }

    /// Groups whose name contains `keyword`, without regard to case and without wildcards, or that have the id `id`; as
    /// `viewer` sees them, by name, that of the id first, at most `limit`.
    pub async fn search_groups(
        &self,
        keyword: &str,
        id: Option<GroupId>,
        viewer: UserId,
        limit: i64,
    ) -> Result<Vec<Group>> {
        let id = id.unwrap_or(0);
        let sql = format!(
            "{} AND ({} OR g.id = ?) ORDER BY CASE WHEN g.id = ? THEN 0 ELSE 1 END, g.name, g.id LIMIT ?",
            select(self.dialect()),
            self.dialect().like("g.name")
        );
        let values = args![viewer, containing(keyword), id, id, limit];
        let rows = self.reader().await?.fetch(sql, values).await?;
        rows.iter().map(group).collect()
    }

    /// The names of those of these groups that exist, in no particular order.
    pub async fn group_names(&self, ids: &[GroupId]) -> Result<Vec<(GroupId, String)>> {
        let sql = "SELECT id, name FROM chat_groups WHERE id IN (*)";
        let rows = self.reader().await?.fetch_in(sql, vec![], ids).await?;
        rows.iter().map(|r| Ok((r.int(0)?, r.text(1)?))).collect()
    }
}

impl Tx {
    /// Makes a group; answers its id. Its conversation and its owner's membership are the caller's next steps.
    pub async fn create_group(&mut self, new: &NewGroup<'_>) -> Result<GroupId> {
        let sql = "INSERT INTO chat_groups (name, owner_id, announcement, max_count, created_at) VALUES (?, ?, ?, ?, ?)";
        let values = args![
            new.name,
            new.owner_id,
            new.announcement,
            new.max_count,
            new.created_at
        ];
        self.conn.insert(sql, values).await
    }

    /// How many members a group may have; `None` when there is no such group or it was dismissed. Lock its conversation
    /// first.
    pub async fn group_capacity(&mut self, id: GroupId) -> Result<Option<i64>> {
        let sql = "SELECT max_count FROM chat_groups WHERE id = ? AND dismissed_at IS NULL";
        let row = self.conn.fetch_one(sql, args![id]).await?;
        row.map(|r| r.int(0)).transpose()
    }
}
