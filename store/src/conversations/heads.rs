//! The heads of conversations: where `seq` is handed out, and what a user's list shows.

use lingxi_domain::{Seq, UserId};

use super::entries::{COLUMNS as ENTRY, ENTRY_COLUMNS, JOINS, entry_at};
use super::entry::Entry;
use crate::error::Result;
use crate::sql::{Row, Shape, args, placeholders};
use crate::{Store, Tx};

/// A conversation's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationHead {
    /// The conversation's key.
    pub conversation: String,
    /// Rises with every change of membership, roles or mutes.
    pub version: i64,
    /// The seq of its newest entry; 0 when it has none.
    pub last_seq: Seq,
    /// The seq of its newest message; 0 when it has none.
    pub message_seq: Seq,
    /// When that was, or when the conversation was made: milliseconds since the Unix epoch.
    pub last_time: i64,
    /// Of a private conversation: 1 where the user of the lower id blocks the other, 2 the other way round, 3 both. Not
    /// written with the head: [`Tx::set_blocked`].
    pub blocked_by: i64,
}

impl ConversationHead {
    /// That of a conversation that begins now, milliseconds since the Unix epoch.
    pub fn new(conversation: impl Into<String>, now: i64) -> Self {
        Self {
            conversation: conversation.into(),
            version: 1,
            last_seq: 0,
            message_seq: 0,
            last_time: now,
            blocked_by: 0,
        }
    }

    /// Whether one side of a private conversation blocks the other.
    pub fn is_blocked_by(&self, one: UserId, other: UserId) -> bool {
        let side = if one < other { 1 } else { 2 };
        one != other && self.blocked_by & side != 0
    }
}

/// One row of a user's list of conversations.
#[derive(Clone, Debug)]
pub struct ConversationRow {
    /// The conversation's key.
    pub conversation: String,
    /// The last entry that the user may see.
    pub last_seq: Seq,
    /// The user's read cursor.
    pub read_seq: Seq,
    /// When its newest message was, or when it was made.
    pub last_time: i64,
    /// Messages of others behind the read cursor; 999 is that or more.
    pub unread: i64,
    /// Its newest message, if it has one.
    pub last_message: Option<Entry>,
}

const HEAD: &str = "conversation, version, last_seq, message_seq, last_time";
const HEAD_AND_BLOCKS: &str = "conversation, version, last_seq, message_seq, last_time, blocked_by";

fn head(row: &Row) -> Result<ConversationHead> {
    Ok(ConversationHead {
        conversation: row.text(0)?,
        version: row.int(1)?,
        last_seq: row.int(2)?,
        message_seq: row.int(3)?,
        last_time: row.int(4)?,
        blocked_by: row.int(5)?,
    })
}

impl Store {
    /// A conversation's head, if it exists.
    pub async fn conversation(&self, conversation: &str) -> Result<Option<ConversationHead>> {
        let sql = format!("SELECT {HEAD_AND_BLOCKS} FROM conversations WHERE conversation = ?");
        let row = self
            .reader()
            .await?
            .fetch_one(sql, args![conversation])
            .await?;
        row.as_ref().map(head).transpose()
    }

    /// A user's conversations, newest `last_time` first, those before `before` only; former groups are left out. Those
    /// with the same time as the last of `limit` come with it, so that the next page begins before that time.
    pub async fn conversations_of(
        &self,
        user: UserId,
        before: i64,
        limit: i64,
    ) -> Result<Vec<ConversationRow>> {
        let mut conn = self.reader().await?;
        let rows = conn
            .fetch_together(page("c.last_time < ?"), PAGE, args![user, before, limit])
            .await?;
        let mut list = rows
            .iter()
            .map(conversation_row)
            .collect::<Result<Vec<_>>>()?;
        if let Some(last) = list.last().filter(|_| rows.len() as i64 >= limit) {
            let same = page("c.last_time = ? AND c.conversation > ?");
            let values = args![user, last.last_time, last.conversation.clone(), SAME_TIME];
            for row in conn.fetch_together(same, PAGE, values).await? {
                list.push(conversation_row(&row)?);
            }
        }
        Ok(list)
    }
}

/// Conversations of one user with the same time, at most: those of one batch have one.
const SAME_TIME: i64 = 1000;

/// Unread messages are counted up to here.
const UNREAD_MOST: i64 = 999;
/// Entries behind the read cursor that are looked at for unread messages: one's own and events are among them. Each is a row
/// that is read: an index of them would be one more page that every message dirties.
pub(super) const UNREAD_WINDOW: i64 = 2_000;
/// Entries that are looked at for one page, those of its first conversations first. Behind that, whatever stands behind the
/// read cursor counts.
const LOOKED_AT: i64 = 20_000;

/// What [`page`] selects.
const PAGE: Shape = Shape::Plain(5 + ENTRY_COLUMNS);

/// One page of a user's conversations; what is shown of each is looked up for that page only.
fn page(condition: &str) -> String {
    let unread = format!(
        "FROM entries n WHERE n.conversation = q.conversation AND n.seq > q.read_seq AND n.seq >= q.joined_seq \
         AND n.seq <= q.read_seq + {UNREAD_WINDOW} AND n.kind = 1 AND n.sender_id <> q.user_id AND n.recalled_at IS NULL"
    );
    format!(
        "WITH p AS (SELECT c.conversation, c.last_seq, c.message_seq, c.last_time, m.read_seq, m.joined_seq, m.user_id, \
             CASE WHEN m.read_seq < m.joined_seq THEN c.last_seq - m.joined_seq + 1 ELSE c.last_seq - m.read_seq END \
               AS behind \
           FROM members m JOIN conversations c ON c.conversation = m.conversation \
           WHERE m.user_id = ? AND m.left_seq IS NULL AND {condition} \
           ORDER BY c.last_time DESC, c.conversation LIMIT ?), \
         q AS (SELECT p.*, SUM(CASE WHEN behind < {UNREAD_WINDOW} THEN behind ELSE {UNREAD_WINDOW} END) \
             OVER (ORDER BY last_time DESC, conversation) AS looked_at \
           FROM p) \
         SELECT q.conversation, q.last_seq, q.read_seq, q.last_time, \
           CASE WHEN behind <= 0 THEN 0 \
             WHEN looked_at > {LOOKED_AT} THEN CASE WHEN behind < {UNREAD_MOST} THEN behind ELSE {UNREAD_MOST} END \
             WHEN behind >= {UNREAD_MOST} AND \
               (SELECT n.seq {unread} ORDER BY n.seq LIMIT 1 OFFSET {}) IS NOT NULL THEN {UNREAD_MOST} \
             ELSE (SELECT COUNT(*) {unread}) END, \
           {ENTRY} \
         FROM q LEFT JOIN entries e ON e.conversation = q.conversation AND e.seq = q.message_seq \
              AND e.seq >= q.joined_seq \
         {JOINS} ORDER BY q.last_time DESC, q.conversation",
        UNREAD_MOST - 1
    )
}

fn conversation_row(row: &Row) -> Result<ConversationRow> {
    let last_message = row.opt_int(5)?.map(|_| entry_at(row, 5)).transpose()?;
    Ok(ConversationRow {
        conversation: row.text(0)?,
        last_seq: row.int(1)?,
        read_seq: row.int(2)?,
        last_time: row.int(3)?,
        unread: row.int(4)?,
        last_message,
    })
}

impl Tx {
    /// Locks the rows of these conversations until the transaction ends; those that do not exist are left out. Pass them
    /// in key order, so that no two transactions wait for each other.
    pub async fn lock_conversations(
        &mut self,
        conversations: &[&str],
    ) -> Result<Vec<ConversationHead>> {
        let sql = format!(
            "SELECT {HEAD_AND_BLOCKS} FROM conversations{} WHERE conversation IN (*) ORDER BY conversation{}",
            self.dialect().by_primary_key(),
            self.dialect().for_update()
        );
        let rows = self.conn.fetch_in(&sql, vec![], conversations).await?;
        rows.iter().map(head).collect()
    }

    /// Makes empty heads for private conversations that have none yet, so that they can be locked like any other. Pass them
    /// in key order.
    pub async fn make_heads(&mut self, conversations: &[&str], now: i64) -> Result<()> {
        for piece in self.dialect().chunks(conversations) {
            let sql = format!(
                "INSERT INTO conversations ({HEAD}) VALUES {}{}",
                placeholders(piece.len(), 5),
                self.dialect().on_conflict_keep("conversation")
            );
            let values = piece
                .iter()
                .flat_map(|&key| args![key, 1_i64, 0_i64, 0_i64, now]);
            self.conn.execute(sql, values.collect()).await?;
        }
        Ok(())
    }

    /// Locks one conversation; `None` when it does not exist.
    pub async fn lock_conversation(
        &mut self,
        conversation: &str,
    ) -> Result<Option<ConversationHead>> {
        Ok(self
            .lock_conversations(&[conversation])
            .await?
            .into_iter()
            .next())
    }

    /// Writes these heads as they are: makes those that are new and overwrites the others. Call it only for rows that
    /// this transaction has locked or found missing.
    pub async fn put_heads(&mut self, heads: &[ConversationHead]) -> Result<()> {
        for piece in self.dialect().chunks(heads) {
            let sql = format!(
                "INSERT INTO conversations ({HEAD}) VALUES {}{}",
                placeholders(piece.len(), 5),
                self.dialect().on_conflict_overwrite(
                    "conversation",
                    &["version", "last_seq", "message_seq", "last_time"]
                )
            );
            let mut values = Vec::with_capacity(piece.len() * 5);
            for h in piece {
                values.extend(args![
                    &h.conversation,
                    h.version,
                    h.last_seq,
                    h.message_seq,
                    h.last_time
                ]);
            }
            self.conn.execute(sql, values).await?;
        }
        Ok(())
    }
}
