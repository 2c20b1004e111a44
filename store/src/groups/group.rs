//! Groups. Who is in them is in `members`, under the conversation `g:<id>`.

use std::collections::{HashMap, HashSet};

use lingxi_domain::policies::{InvitePolicy, JoinPolicy};
use lingxi_domain::role::GroupRole;
use lingxi_domain::{GroupId, UserId};

use crate::error::Result;
use crate::names::{Kind, Page, Scan, folded, index};
use crate::sql::{Conn, Dialect, Row, args};
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
    /// How one joins.
    pub join_policy: JoinPolicy,
    /// Who invites.
    pub invite_policy: InvitePolicy,
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

/// Whether `o.conversation` is a group's, found by the index of a user's memberships: `;` follows `:`.
const IS_GROUP: &str = "o.conversation >= 'g:' AND o.conversation < 'g;'";

/// The rows that show a group; the first `?` is the asking user. Dismissed groups are left out.
fn select(dialect: Dialect) -> String {
    format!(
        "SELECT g.id, g.name, u.username, g.announcement, g.max_count, g.created_at, \
           (SELECT COUNT(*) FROM members c WHERE c.conversation = {key} AND c.left_seq IS NULL), \
           (SELECT m.role FROM members m WHERE m.conversation = {key} AND m.user_id = ? AND m.left_seq IS NULL), g.name_key, \
           g.join_policy, g.invite_policy \
         FROM chat_groups g LEFT JOIN users u ON u.id = g.owner_id WHERE g.dismissed_at IS NULL",
        key = dialect.group_key("g.id")
    )
}

/// Where [`select`] has the folded name.
const NAME_KEY: usize = 8;

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
        join_policy: JoinPolicy::from_db(row.int(9)?),
        invite_policy: InvitePolicy::from_db(row.int(10)?),
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

    /// All groups that a user is in, lowest id first.
    pub async fn groups_of(&self, user: UserId) -> Result<Vec<Group>> {
        self.groups_page(user, 0, i64::MAX).await
    }

    /// The groups that a user is in, those with an id above `after` (0 for the first ones), lowest first, at most `limit`.
    pub async fn groups_page(
        &self,
        user: UserId,
        after: GroupId,
        limit: i64,
    ) -> Result<Vec<Group>> {
        let sql = format!(
            "{} AND g.id IN (SELECT {} FROM members o WHERE o.user_id = ? AND o.left_seq IS NULL \
             AND {IS_GROUP}) AND g.id > ? ORDER BY g.id LIMIT ?",
            select(self.dialect()),
            self.dialect().group_id_of("o.conversation")
        );
        let values = args![user, user, after, limit];
        let rows = self.reader().await?.fetch(sql, values).await?;
        rows.iter().map(group).collect()
    }

    /// Groups whose name contains `keyword`, which is folded, or that have the id `id`; as `viewer` sees them, that of the
    /// id first, then as [`Self::search_users`] has them; at most `limit`, those after `after` where there is one.
    pub async fn search_groups(
        &self,
        keyword: &str,
        id: Option<GroupId>,
        viewer: UserId,
        after: Option<GroupId>,
        limit: usize,
    ) -> Result<Page<Group>> {
        let mut searcher = self.searcher().await?;
        let conn = &mut searcher.conn;
        let mut scan = Scan::new(Kind::Group, keyword);
        let mut found = Vec::new();
        match (id, after) {
            (Some(id), None) => {
                let mut named = named(conn, &[id], viewer).await?;
                found.extend(named.remove(&id).map(|(group, _)| group));
            }
            (id, Some(after)) if id != Some(after) => {
                let named = named(conn, &[after], viewer).await?;
                let owned = named.get(&after).map(|(_, key)| key.as_str());
                scan = scan.after(after, owned);
            }
            _ => {}
        }
        while found.len() <= limit
            && let Some(hits) = scan.next(conn, limit + 1 - found.len()).await?
        {
            let ids: Vec<GroupId> = hits.iter().map(|hit| hit.id).collect();
            let mut named = named(conn, &ids, viewer).await?;
            for hit in hits.iter().filter(|hit| Some(hit.id) != id) {
                let first = named
                    .get(&hit.id)
                    .is_some_and(|(_, key)| scan.is_first(hit, [key.as_str()]));
                if first && let Some((group, _)) = named.remove(&hit.id) {
                    found.push(group);
                }
            }
        }
        Ok(Page::of(found, limit, &scan))
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
        let sql = "INSERT INTO chat_groups (name, name_key, owner_id, announcement, max_count, created_at) \
                   VALUES (?, ?, ?, ?, ?, ?)";
        let name_key = folded(new.name);
        let values = args![
            new.name,
            &name_key,
            new.owner_id,
            new.announcement,
            new.max_count,
            new.created_at
        ];
        let id = self.conn.insert(sql, values).await?;
        let owner = (id, vec![name_key.as_str()]);
        index(&mut self.conn, Kind::Group, &[owner]).await?;
        Ok(id)
    }

    /// How many groups a user is in, dismissed ones included; counted up to `most`.
    pub async fn count_memberships(&mut self, user: UserId, most: i64) -> Result<i64> {
        let sql = format!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM members o WHERE o.user_id = ? AND o.left_seq IS NULL \
             AND {IS_GROUP} LIMIT ?) m"
        );
        let row = self.conn.fetch_one(sql, args![user, most]).await?;
        row.map_or(Ok(0), |r| r.int(0))
    }
}

/// Those of these groups that exist and were not dismissed, as `viewer` sees them, with their folded names.
async fn named(
    conn: &mut Conn,
    ids: &[GroupId],
    viewer: UserId,
) -> Result<HashMap<GroupId, (Group, String)>> {
    let sql = format!("{} AND g.id IN (*)", select(conn.dialect()));
    let mut found = HashMap::with_capacity(ids.len());
    for row in conn.fetch_in(&sql, args![viewer], ids).await? {
        let key = row.opt_text(NAME_KEY)?.unwrap_or_default();
        let group = group(&row)?;
        found.insert(group.id, (group, key));
    }
    Ok(found)
}
