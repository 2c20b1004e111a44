//! The log of a conversation: messages, recalls, edits and membership, each with its `seq`.

use lingxi_domain::{Seq, UserId, content_hash};

use crate::error::Result;
use crate::sql::{Column, Row, args, placeholders};
use crate::{Store, Tx};

/// What an entry is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A message.
    #[default]
    Message,
    /// A message was recalled.
    Recalled,
    /// A message was edited.
    Edited,
    /// Somebody joined.
    Joined,
    /// Somebody was brought in.
    Invited,
    /// Somebody left.
    Left,
    /// Somebody was removed.
    Kicked,
}

impl EntryKind {
    /// As the store keeps it.
    pub fn to_db(self) -> i64 {
        match self {
            Self::Message => 1,
            Self::Recalled => 2,
            Self::Edited => 3,
            Self::Joined => 4,
            Self::Invited => 5,
            Self::Left => 6,
            Self::Kicked => 7,
        }
    }

    fn from_db(value: i64) -> Result<Self> {
        Ok(match value {
            1 => Self::Message,
            2 => Self::Recalled,
            3 => Self::Edited,
            4 => Self::Joined,
            5 => Self::Invited,
            6 => Self::Left,
            7 => Self::Kicked,
            other => return Err(crate::Error::Corrupt(format!("entries.kind = {other}"))),
        })
    }

    /// The `event` of a system frame; `None` for a message.
    pub fn event_name(self) -> Option<&'static str> {
        Some(match self {
            Self::Message => return None,
            Self::Recalled => "recalled",
            Self::Edited => "edited",
            Self::Joined => "group_joined",
            Self::Invited => "group_invited",
            Self::Left => "group_left",
            Self::Kicked => "group_kicked",
        })
    }
}

/// An entry as it was committed, with its present state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: i64,
    /// The conversation's key.
    pub conversation: String,
    /// Its place.
    pub seq: Seq,
    /// What it is.
    pub kind: EntryKind,
    /// Who wrote or did it.
    pub sender_id: UserId,
    /// That user's name.
    pub sender: String,
    /// The sender's id for a message.
    pub msg_id: Option<String>,
    /// The text of a message; empty when recalled.
    pub content: String,
    /// The recalled or edited message's id, or the user whose membership changed.
    pub target: Option<i64>,
    /// The recalled or edited message's place.
    pub target_seq: Option<Seq>,
    /// The name of the user whose membership changed.
    pub target_name: Option<String>,
    /// When it was committed, milliseconds since the Unix epoch.
    pub created_at: i64,
    /// When it was recalled.
    pub recalled_at: Option<i64>,
    /// When it was last edited.
    pub edited_at: Option<i64>,
}

/// An entry to be written. It is an [`Entry`] once it is committed: [`NewEntry::stored`].
#[derive(Clone, Debug, Default)]
pub struct NewEntry<'a> {
    /// Its id.
    pub id: i64,
    /// The conversation's key.
    pub conversation: &'a str,
    /// Its place: the conversation's `last_seq + 1`.
    pub seq: Seq,
    /// What it is.
    pub kind: EntryKind,
    /// Who writes or does it.
    pub sender_id: UserId,
    /// The sender's id for a message.
    pub msg_id: Option<&'a str>,
    /// The text of a message.
    pub content: &'a str,
    /// The recalled or edited message's id, or the user whose membership changes.
    pub target: Option<i64>,
    /// The recalled or edited message's place.
    pub target_seq: Option<Seq>,
    /// Now, milliseconds since the Unix epoch.
    pub created_at: i64,
}

/// What makes a message the same message.
pub type RepeatKey<'a> = (&'a str, UserId, &'a str);

/// A message that was committed before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// The conversation's key.
    pub conversation: String,
    /// Its sender.
    pub sender_id: UserId,
    /// The sender's id for it.
    pub msg_id: String,
    /// The id that it got.
    pub id: i64,
    /// The place that it got.
    pub seq: Seq,
    /// The [`content_hash`] of the text that it was committed with; `None` where nobody knows it any more.
    pub content: Option<i64>,
}

impl NewEntry<'_> {
    /// The entry as it is read back once it is committed, with the names of its sender and of the user whom it is about.
    pub fn stored(&self, sender: &str, target_name: Option<&str>) -> Entry {
        Entry {
            id: self.id,
            conversation: self.conversation.to_owned(),
            seq: self.seq,
            kind: self.kind,
            sender_id: self.sender_id,
            sender: sender.to_owned(),
            msg_id: self.msg_id.map(str::to_owned),
            content: self.content.to_owned(),
            target: self.target,
            target_seq: self.target_seq,
            target_name: target_name.map(str::to_owned),
            created_at: self.created_at,
            recalled_at: None,
            edited_at: None,
        }
    }
}

/// What [`entry`] reads, from `entries e` with [`JOINS`].
pub(crate) const COLUMNS: &str = "e.id, e.conversation, e.seq, e.kind, e.sender_id, s.username, e.msg_id, e.content, \
    e.target, e.target_seq, t.username, e.created_at, e.recalled_at, e.edited_at";
/// A target is a user where the entry is about membership (kinds 4 to 7).
pub(crate) const JOINS: &str =
    "LEFT JOIN users s ON s.id = e.sender_id LEFT JOIN users t ON t.id = e.target AND e.kind >= 4";

const IDENTITY: &[Column] = &[
    Column::Text("conversation"),
    Column::Int("sender_id"),
    Column::Text("msg_id"),
];

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
    })
}

/// Rows that an older version wrote have no hash: their text says as much, as long as it is the first one.
fn first_content(repeat: &Row) -> Result<Option<i64>> {
    if let Some(hash) = repeat.opt_int(5)? {
        return Ok(Some(hash));
    }
    Ok(repeat.opt_text(6)?.as_deref().map(content_hash))
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
            found.extend(entries(&conn.fetch(sql, values).await?)?);
        }
        Ok(found)
    }

    /// One entry by its id.
    pub async fn entry(&self, id: i64) -> Result<Option<Entry>> {
        let sql = format!("SELECT {COLUMNS} FROM entries e {JOINS} WHERE e.id = ?");
        let row = self.reader().await?.fetch_one(sql, args![id]).await?;
        row.as_ref().map(entry).transpose()
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
    /// Which of these messages were committed before.
    pub async fn find_repeats(&mut self, keys: &[RepeatKey<'_>]) -> Result<Vec<Repeat>> {
        let mut found = Vec::new();
        for piece in self.dialect().value_chunks(keys) {
            let mut cells = Vec::with_capacity(piece.len() * 3);
            for &(conversation, sender, msg_id) in piece {
                cells.extend(args![conversation, sender, msg_id]);
            }
            let (head, values) = self.dialect().with_values(IDENTITY, cells);
            let sql = format!(
                "{head} SELECT e.conversation, e.sender_id, e.msg_id, e.id, e.seq, e.content_hash, \
                 CASE WHEN e.content_hash IS NULL AND e.recalled_at IS NULL AND e.edited_at IS NULL THEN e.content END \
                 FROM v JOIN entries e \
                 ON e.conversation = v.conversation AND e.sender_id = v.sender_id AND e.msg_id = v.msg_id"
            );
            for row in self.conn.fetch(sql, values).await? {
                found.push(Repeat {
                    conversation: row.text(0)?,
                    sender_id: row.int(1)?,
                    msg_id: row.text(2)?,
                    id: row.int(3)?,
                    seq: row.int(4)?,
                    content: first_content(&row)?,
                });
            }
        }
        Ok(found)
    }

    /// Writes entries. Their conversations are locked by this transaction, and their heads are moved by it too.
    pub async fn insert_entries(&mut self, new: &[NewEntry<'_>]) -> Result<()> {
        for piece in self.dialect().chunks(new) {
            let sql = format!(
                "INSERT INTO entries (id, conversation, seq, kind, sender_id, msg_id, content, target, target_seq, \
                 created_at, content_hash) VALUES {}",
                placeholders(piece.len(), 11)
            );
            let mut values = Vec::with_capacity(piece.len() * 11);
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
                    e.msg_id.map(|_| content_hash(e.content))
                ]);
            }
            self.conn.execute(sql, values).await?;
        }
        Ok(())
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

    /// Marks a message recalled and takes its text away. Answers whether it was there and not yet recalled.
    pub async fn mark_recalled(&mut self, id: i64, now: i64) -> Result<bool> {
        let sql = "UPDATE entries SET recalled_at = ?, content = '' WHERE id = ? AND kind = 1 AND recalled_at IS NULL";
        Ok(self.conn.execute(sql, args![now, id]).await? == 1)
    }
}
