//! The log of a conversation: messages, recalls, edits and membership, each with its `seq`.

use lingxi_domain::{Seq, said_hash};

use super::entry::{Entry, EntryKind, NewEntry};
use crate::error::Result;
use crate::sql::{Row, Shape, args, placeholders};
use crate::{Store, Tx};

/// What [`entry`] reads, from `entries e` with [`JOINS`].
pub(crate) const COLUMNS: &str = "e.id, e.conversation, e.seq, e.kind, e.sender_id, s.username, e.msg_id, e.content, \
    e.target, e.target_seq, t.username, e.created_at, e.recalled_at, e.edited_at, e.detail, e.edited_seq";
/// How many they are.
pub(super) const ENTRY_COLUMNS: usize = 16;
/// A target is a user where the entry is about membership (kinds 4 to 8).
pub(crate) const JOINS: &str = "LEFT JOIN users s ON s.id = e.sender_id LEFT JOIN users t ON t.id = e.target AND e.kind BETWEEN 4 AND 8";

pub(super) fn entry(row: &Row) -> Result<Entry> {
    entry_at(row, 0)
}

/// The entry whose [`COLUMNS`] begin at column `first`.
pub(crate) fn entry_at(row: &Row, first: usize) -> Result<Entry> {
    Ok(Entry {
        id: row.int(first)?,
        conversation: row.text(first + 1)?,
        seq: row.int(first + 2)?,
        kind: EntryKind::from_db(row.int(first + 3)?)?,
        sender_id: row.int(first + 4)?,
        sender: row.opt_text(first + 5)?.unwrap_or_default(),
        msg_id: row.opt_text(first + 6)?,
        content: row.text(first + 7)?,
        target: row.opt_int(first + 8)?,
        target_seq: row.opt_int(first + 9)?,
        target_name: row.opt_text(first + 10)?,
        created_at: row.int(first + 11)?,
        recalled_at: row.opt_int(first + 12)?,
        edited_at: row.opt_int(first + 13)?,
        detail: row.opt_text(first + 14)?,
        edited_seq: row.opt_int(first + 15)?,
    })
}

fn entries(rows: &[Row]) -> Result<Vec<Entry>> {
    rows.iter().map(entry).collect()
}

impl Store {
    /// For each `(conversation, first, last)`, the entries in between, each conversation's oldest first: one query for
    /// many conversations. The caller bounds `last - first`.
    pub async fn entries_of_many(&self, ranges: &[(&str, Seq, Seq)]) -> Result<Vec<Entry>> {
        let mut found = Vec::new();
        if ranges.is_empty() {
            return Ok(found);
        }
        let mut conn = self.reader().await?;
        for piece in conn.dialect().value_chunks(ranges) {
            let (head, entries_of_v, values) = conn.dialect().with_ranges(piece);
            let sql = format!(
                "{head} SELECT {COLUMNS} FROM {entries_of_v} {JOINS} ORDER BY e.conversation, e.seq"
            );
            let shape = Shape::Plain(ENTRY_COLUMNS);
            found.extend(entries(&conn.fetch_together(sql, shape, values).await?)?);
        }
        Ok(found)
    }

    /// One entry by its id.
    pub async fn entry(&self, id: i64) -> Result<Option<Entry>> {
        let sql = format!("SELECT {COLUMNS} FROM entries e {JOINS} WHERE e.id = ?");
        let row = self.reader().await?.fetch_one(sql, args![id]).await?;
        row.as_ref().map(entry).transpose()
    }

    /// These messages, by their ids, in no particular order; what is no message is left out.
    pub async fn messages(&self, ids: &[i64]) -> Result<Vec<Entry>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let sql =
            format!("SELECT {COLUMNS} FROM entries e {JOINS} WHERE e.kind = 1 AND e.id IN (*)");
        entries(&self.reader().await?.fetch_in(&sql, vec![], ids).await?)
    }

    /// Entries of one partition with `after < id <= upto`, lowest id first, at most `limit`: what a new owner pushes again.
    pub async fn entries_after_id(
        &self,
        partition: u16,
        after: i64,
        upto: i64,
        limit: i64,
    ) -> Result<Vec<Entry>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM entries e {JOINS} WHERE e.id > ? AND e.id <= ? AND ((e.id >> 6) & 63) = ? ORDER BY e.id LIMIT ?"
        );
        entries(
            &self
                .reader()
                .await?
                .fetch(sql, args![after, upto, partition, limit])
                .await?,
        )
    }
}

impl Tx {
    /// Writes entries, and that they bring their files. Their conversations are locked by this transaction, and their heads are moved by it too.
    pub async fn insert_entries(&mut self, new: &[NewEntry<'_>]) -> Result<()> {
        for piece in self.dialect().chunks(new) {
            let sql = format!(
                "INSERT INTO entries (id, conversation, seq, kind, sender_id, msg_id, content, target, target_seq, \
                 created_at, content_hash, detail) VALUES {}",
                placeholders(piece.len(), 12)
            );
            let mut values = Vec::with_capacity(piece.len() * 12);
            for e in piece {
                values.extend(args![
                    e.id,
                    e.conversation,
                    e.seq,
                    e.kind.to_db(),
                    e.sender_id,
                    e.msg_id,
                    e.content,
                    e.target,
                    e.target_seq,
                    e.created_at,
                    e.msg_id.map(|_| said_hash(e.content, e.file)),
                    e.detail
                ]);
            }
            self.conn.execute(sql, values).await?;
        }
        self.use_files(new).await
    }

    /// One entry by its id. Lock its conversation first where its state decides anything.
    pub async fn entry(&mut self, id: i64) -> Result<Option<Entry>> {
        let sql = format!("SELECT {COLUMNS} FROM entries e {JOINS} WHERE e.id = ?");
        let row = self.conn.fetch_one(sql, args![id]).await?;
        row.as_ref().map(entry).transpose()
    }

    /// The place of the entry that recalled a message; `message_seq` is the message's own place.
    pub async fn recall_of(&mut self, conversation: &str, message_seq: Seq) -> Result<Option<Seq>> {
        // Walks the log from the message on: a recall mostly stands near.
        let sql = "SELECT seq FROM entries WHERE conversation = ? AND seq > ? AND kind = 2 AND target_seq = ? \
                   ORDER BY seq LIMIT 1";
        let row = self
            .conn
            .fetch_one(sql, args![conversation, message_seq, message_seq])
            .await?;
        row.map(|r| r.int(0)).transpose()
    }

    /// Gives a message another text, by the entry at `seq`. Answers whether it was there and not recalled.
    pub async fn edit_message(
        &mut self,
        id: i64,
        content: &str,
        (now, seq): (i64, Seq),
    ) -> Result<bool> {
        let sql = "UPDATE entries SET content = ?, edited_at = ?, edited_seq = ? \
                   WHERE id = ? AND kind = 1 AND recalled_at IS NULL";
        let values = args![content, now, seq, id];
        Ok(self.conn.execute(sql, values).await? == 1)
    }

    /// Returns true if a member of this conversation joined behind this place, and does not see what stands there.
    pub async fn has_later_members(&mut self, conversation: &str, seq: Seq) -> Result<bool> {
        let sql = "SELECT 1 FROM members WHERE conversation = ? AND left_seq IS NULL AND joined_seq > ? LIMIT 1";
        let row = self.conn.fetch_one(sql, args![conversation, seq]).await?;
        Ok(row.is_some())
    }

    /// Marks a message recalled and takes its text away. Answers whether it was there and not yet recalled.
    pub async fn mark_recalled(&mut self, id: i64, now: i64) -> Result<bool> {
        let sql = "UPDATE entries SET recalled_at = ?, content = '' WHERE id = ? AND kind = 1 AND recalled_at IS NULL";
        Ok(self.conn.execute(sql, args![now, id]).await? == 1)
    }
}
