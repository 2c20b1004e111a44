//! How far conversations are in the index.

use std::collections::HashMap;

use lingxi_domain::Seq;

use super::segments::Sizes;
use crate::error::Result;
use crate::sql::{Row, args, placeholders};
use crate::{Store, Tx};

/// A conversation whose log goes on behind what is indexed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unindexed {
    /// The conversation's key.
    pub conversation: String,
    /// Everything up to here is in the index.
    pub indexed: Seq,
    /// The newest entry.
    pub last: Seq,
}

pub(super) const COLUMNS: &str = "indexed_seq, sizes";

/// The state in a row's columns from `first` on; empty where there is none.
pub(super) fn state(row: &Row, first: usize) -> Result<(Seq, Sizes)> {
    let sizes = match row.opt_text(first + 1)? {
        Some(sizes) => sizes.parse()?,
        None => Sizes::default(),
    };
    Ok((row.opt_int(first)?.unwrap_or(0), sizes))
}

fn by_conversation(rows: &[Row]) -> Result<HashMap<String, (Seq, Sizes)>> {
    let read = |row: &Row| Ok((row.text(0)?, state(row, 1)?));
    rows.iter().map(read).collect()
}

impl Store {
    /// How far these conversations are indexed; those that are not at all are left out.
    pub async fn indexed(&self, conversations: &[&str]) -> Result<HashMap<String, Seq>> {
        let states = self.states(conversations).await?;
        let indexed = states.into_iter().map(|(key, (indexed, _))| (key, indexed));
        Ok(indexed.collect())
    }

    pub(super) async fn states(
        &self,
        conversations: &[&str],
    ) -> Result<HashMap<String, (Seq, Sizes)>> {
        let sql =
            format!("SELECT conversation, {COLUMNS} FROM search_states WHERE conversation IN (*)");
        let mut conn = self.reader().await?;
        let rows = conn.fetch_in(&sql, vec![], conversations).await?;
        by_conversation(&rows)
    }

    /// Looks at `limit` conversations behind the key `after`; answers those that are not indexed to their end, and where to
    /// go on, `None` at the end of all.
    pub async fn unindexed_page(
        &self,
        after: &str,
        limit: usize,
    ) -> Result<(Vec<Unindexed>, Option<String>)> {
        let sql = "SELECT c.conversation, COALESCE(s.indexed_seq, 0), c.last_seq FROM \
                   (SELECT conversation, last_seq FROM conversations WHERE conversation > ? ORDER BY conversation LIMIT ?) c \
                   LEFT JOIN search_states s ON s.conversation = c.conversation ORDER BY c.conversation";
        let rows = self.reader().await?.fetch(sql, args![after, limit]).await?;
        let next = match rows.last() {
            Some(last) if rows.len() >= limit => Some(last.text(0)?),
            _ => None,
        };
        let mut found = Vec::new();
        for row in &rows {
            let unindexed = Unindexed {
                conversation: row.text(0)?,
                indexed: row.int(1)?,
                last: row.int(2)?,
            };
            if unindexed.indexed < unindexed.last {
                found.push(unindexed);
            }
        }
        Ok((found, next))
    }
}

impl Tx {
    /// Locks the states of these conversations, in key order, and makes those that are missing.
    pub(super) async fn lock_states(
        &mut self,
        conversations: &[&str],
    ) -> Result<HashMap<String, (Seq, Sizes)>> {
        let mut states = self.locked_states(conversations).await?;
        let mut missing = conversations.to_vec();
        missing.retain(|conversation| !states.contains_key(*conversation));
        if !missing.is_empty() {
            for piece in self.dialect().chunks(&missing) {
                let sql = format!(
                    "INSERT INTO search_states (conversation, {COLUMNS}) VALUES {}{}",
                    placeholders(piece.len(), 3),
                    self.dialect().on_conflict_keep("conversation")
                );
                let new = |&key| args![key, 0_i64, Sizes::default().to_string()];
                self.conn
                    .execute(sql, piece.iter().flat_map(new).collect())
                    .await?;
            }
            states.extend(self.locked_states(&missing).await?);
        }
        Ok(states)
    }

    async fn locked_states(
        &mut self,
        conversations: &[&str],
    ) -> Result<HashMap<String, (Seq, Sizes)>> {
        let sql = format!(
            "SELECT conversation, {COLUMNS} FROM search_states{} WHERE conversation IN (*) ORDER BY conversation{}",
            self.dialect().by_primary_key(),
            self.dialect().for_update()
        );
        let rows = self.conn.fetch_in(&sql, vec![], conversations).await?;
        by_conversation(&rows)
    }

    /// Writes states that this transaction has locked.
    pub(super) async fn put_states(&mut self, states: &[(&str, Seq, Sizes)]) -> Result<()> {
        for piece in self.dialect().chunks(states) {
            let sql = format!(
                "INSERT INTO search_states (conversation, {COLUMNS}) VALUES {}{}",
                placeholders(piece.len(), 3),
                self.dialect()
                    .on_conflict_overwrite("conversation", &["indexed_seq", "sizes"])
            );
            let row = |(key, indexed, sizes): &(&'_ str, Seq, Sizes)| {
                args![(*key).to_owned(), *indexed, sizes.to_string()]
            };
            let values = piece.iter().flat_map(row).collect();
            self.conn.execute(sql, values).await?;
        }
        Ok(())
    }
}
