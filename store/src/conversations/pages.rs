//! Reads of the log that end at a number of bytes, however many rows were asked for: a message may be long.

use lingxi_domain::Seq;

use super::entries::{COLUMNS, JOINS, entry};
use super::entry::Entry;
use crate::Store;
use crate::error::Result;
use crate::sql::{Dialect, Row, args};

/// How much one read may bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Entries at most.
    pub rows: usize,
    /// Bytes of their contents at most, as they are stored; the first entry comes however long it is.
    pub bytes: usize,
}

/// Some entries, and whether the bounds kept others back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// Oldest first.
    pub entries: Vec<Entry>,
    /// Whether there are more: later ones in a page from the start, else earlier ones.
    pub has_more: bool,
}

/// A page in the making.
struct Filling {
    page: Excerpt,
    bytes: usize,
    bounds: Bounds,
}

impl Filling {
    fn new(bounds: Bounds) -> Self {
        Self {
            page: Excerpt::default(),
            bytes: 0,
            bounds,
        }
    }

    /// Takes one more; answers whether it had room.
    fn take(&mut self, row: &Row) -> Result<bool> {
        let entry = entry(row)?;
        let bytes = self.bytes.saturating_add(entry.content.len());
        let first = self.page.entries.is_empty();
        if self.page.entries.len() >= self.bounds.rows || (bytes > self.bounds.bytes && !first) {
            self.page.has_more = true;
            return Ok(false);
        }
        self.bytes = bytes;
        self.page.entries.push(entry);
        Ok(true)
    }
}

impl Store {
    /// A page of a conversation's log within `first..=last`: the newest entries that fit, or with `from_start` the oldest.
    /// `messages_only` leaves the other kinds out. Never holds more than the page.
    pub async fn history_page(
        &self,
        conversation: &str,
        (first, last): (Seq, Seq),
        bounds: Bounds,
        from_start: bool,
        messages_only: bool,
    ) -> Result<Excerpt> {
        let order = if from_start { "ASC" } else { "DESC" };
        let kinds = if messages_only { "AND e.kind = 1" } else { "" };
        let sql = format!(
            "SELECT {COLUMNS} FROM entries e {JOINS} WHERE e.conversation = ? AND e.seq BETWEEN ? AND ? {kinds} \
             ORDER BY e.seq {order} LIMIT ?"
        );
        // One more than asked for tells whether there are more.
        let values = args![conversation, first, last, bounds.rows.saturating_add(1)];
        let mut filling = Filling::new(bounds);
        let mut conn = self.reader().await?;
        conn.fetch_while(sql, values, |row| filling.take(&row))
            .await?;
        let mut page = filling.page;
        if !from_start {
            page.entries.reverse();
        }
        Ok(page)
    }

    /// For each `(conversation, first, last)`, the entries in between, each conversation's oldest first, until the bounds
    /// are reached: what is behind is left out, of the last conversation that was begun and of all that were not.
    pub async fn entries_within(
        &self,
        ranges: &[(&str, Seq, Seq)],
        bounds: Bounds,
    ) -> Result<Excerpt> {
        let mut filling = Filling::new(bounds);
        if ranges.is_empty() {
            return Ok(filling.page);
        }
        let mut conn = self.reader().await?;
        match conn.dialect() {
            // One range a statement: a sorter would hold the contents of all.
            Dialect::Sqlite => {
                let sql = format!(
                    "SELECT {COLUMNS} FROM entries e {JOINS} WHERE e.conversation = ? AND e.seq BETWEEN ? AND ? ORDER BY e.seq"
                );
                for &(conversation, first, last) in ranges {
                    let values = args![conversation, first, last];
                    conn.fetch_while(sql.clone(), values, |row| filling.take(&row))
                        .await?;
                    if filling.page.has_more {
                        break;
                    }
                }
            }
            Dialect::MySql => {
                for piece in conn.dialect().value_chunks(ranges) {
                    let (head, entries_of_v, values) = conn.dialect().with_ranges(piece);
                    let sql = format!(
                        "{head} SELECT {COLUMNS} FROM {entries_of_v} {JOINS} ORDER BY e.conversation, e.seq"
                    );
                    conn.fetch_while(sql, values, |row| filling.take(&row))
                        .await?;
                    if filling.page.has_more {
                        break;
                    }
                }
            }
        }
        Ok(filling.page)
    }
}
