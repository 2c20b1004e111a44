//! Keys and parts for rows that were made before there were any, or by a node of the version before.

use std::collections::HashSet;

use lingxi_domain::names;

use super::{Kind, folded, index};
use crate::Store;
use crate::error::Result;
use crate::sql::{Column, Conn, args};

/// Rows that are filled in one transaction.
const BATCH: usize = 256;

impl Store {
    /// Fills what is missing, a bounded number of rows a transaction. Several may do it at once, and may be cut off: what
    /// is filled stays filled.
    pub(crate) async fn fill_names(&self) -> Result<()> {
        let mut filled = 0;
        for kind in [Kind::User, Kind::Group] {
            if !self.has_unfilled(kind).await? {
                continue;
            }
            tracing::info!(?kind, "names are made searchable");
            loop {
                let now = self.repeated(|| self.fill_some(kind)).await?;
                filled += now;
                if now == 0 {
                    break;
                }
            }
        }
        if filled > 0 {
            tracing::info!(filled, "all names are searchable");
        }
        Ok(())
    }

    /// Asked before anything is locked: a store that is whole is only read.
    async fn has_unfilled(&self, kind: Kind) -> Result<bool> {
        let sql = match kind {
            Kind::User => "SELECT id FROM users WHERE username_skeleton IS NULL LIMIT 1",
            Kind::Group => "SELECT id FROM chat_groups WHERE name_key IS NULL LIMIT 1",
        };
        Ok(self.reader().await?.fetch_one(sql, vec![]).await?.is_some())
    }

    async fn fill_some(&self, kind: Kind) -> Result<usize> {
        let mut conn = self.db.begin().await?;
        let filled = match kind {
            Kind::User => users(&mut conn).await?,
            Kind::Group => groups(&mut conn).await?,
        };
        conn.commit().await?;
        Ok(filled)
    }
}

struct OldUser {
    id: i64,
    key: String,
    /// The key that it should have.
    due: String,
    name_key: String,
    nickname_key: String,
}

async fn users(conn: &mut Conn) -> Result<usize> {
    const COLUMNS: &[Column] = &[
        Column::Int("id"),
        Column::Text("own_key"),
        Column::Text("own_skeleton"),
        Column::Text("own_nickname"),
    ];
    let sql = format!(
        "SELECT id, username, username_key, nickname FROM users WHERE username_skeleton IS NULL ORDER BY id LIMIT ?{}",
        conn.dialect().for_update_skip_locked()
    );
    let mut olds = Vec::new();
    for row in conn.fetch(sql, args![BATCH]).await? {
        let username = row.text(1)?;
        olds.push(OldUser {
            id: row.int(0)?,
            key: row.text(2)?,
            due: names::username_key(&username),
            name_key: folded(&username),
            nickname_key: folded(&row.text(3)?),
        });
    }
    // Whoever comes second keeps the older key, under which it is still found.
    let mut taken = taken(conn, &olds).await?;
    for old in &mut olds {
        if old.due == old.key || taken.insert(old.due.clone()) {
            old.key.clone_from(&old.due);
        }
    }
    let dialect = conn.dialect();
    for some in dialect.value_chunks(&olds) {
        let cells = some.iter().flat_map(|old| {
            let skeleton = names::skeleton(&old.key);
            args![old.id, &old.key, skeleton, &old.nickname_key]
        });
        let (sql, values) = dialect.update_from_values(
            "users",
            COLUMNS,
            cells.collect(),
            ("users.id = v.id", "users.username_skeleton IS NULL"),
            &[
                ("username_key", "v.own_key"),
                ("username_skeleton", "v.own_skeleton"),
                ("nickname_key", "v.own_nickname"),
            ],
        );
        conn.execute(sql, values).await?;
    }
    let owners: Vec<_> = olds
        .iter()
        .map(|old| {
            (
                old.id,
                vec![old.name_key.as_str(), old.nickname_key.as_str()],
            )
        })
        .collect();
    index(conn, Kind::User, &owners).await?;
    Ok(olds.len())
}

/// Those of the keys that are due that somebody has.
async fn taken(conn: &mut Conn, olds: &[OldUser]) -> Result<HashSet<String>> {
    let others = olds.iter().filter(|old| old.due != old.key);
    let due: Vec<&str> = others.map(|old| old.due.as_str()).collect();
    let sql = "SELECT username_key FROM users WHERE username_key IN (*)";
    let rows = conn.fetch_in(sql, vec![], &due).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

async fn groups(conn: &mut Conn) -> Result<usize> {
    const COLUMNS: &[Column] = &[Column::Int("id"), Column::Text("own_key")];
    let sql = format!(
        "SELECT id, name FROM chat_groups WHERE name_key IS NULL ORDER BY id LIMIT ?{}",
        conn.dialect().for_update_skip_locked()
    );
    let mut olds = Vec::new();
    for row in conn.fetch(sql, args![BATCH]).await? {
        olds.push((row.int(0)?, folded(&row.text(1)?)));
    }
    let dialect = conn.dialect();
    for some in dialect.value_chunks(&olds) {
        let cells = some.iter().flat_map(|(id, key)| args![*id, key]);
        let (sql, values) = dialect.update_from_values(
            "chat_groups",
            COLUMNS,
            cells.collect(),
            ("chat_groups.id = v.id", "chat_groups.name_key IS NULL"),
            &[("name_key", "v.own_key")],
        );
        conn.execute(sql, values).await?;
    }
    let owners: Vec<_> = olds
        .iter()
        .map(|(id, key)| (*id, vec![key.as_str()]))
        .collect();
    index(conn, Kind::Group, &owners).await?;
    Ok(olds.len())
}
