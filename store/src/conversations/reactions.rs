//! What people think of messages, and which of them a group keeps in sight.

use std::collections::HashMap;

use lingxi_domain::{Seq, UserId};

use super::entries::{COLUMNS, JOINS, entry};
use super::entry::Entry;
use crate::error::Result;
use crate::sql::args;
use crate::{Store, Tx};

/// How many reacted to a message with one emoji.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReactionCount {
    /// The emoji.
    pub emoji: String,
    /// How many.
    pub count: i64,
    /// Whether the asking user is one of them.
    pub mine: bool,
}

impl Store {
    /// What was reacted to these messages, by their ids, as this user sees it; of each the first emoji first.
    pub async fn reactions(
        &self,
        user: UserId,
        messages: &[i64],
    ) -> Result<HashMap<i64, Vec<ReactionCount>>> {
        let mut found: HashMap<i64, Vec<ReactionCount>> = HashMap::new();
        if messages.is_empty() {
            return Ok(found);
        }
        let sql = "SELECT c.message_id, c.emoji, c.count, r.user_id FROM reaction_counts c \
                   LEFT JOIN reactions r ON r.message_id = c.message_id AND r.emoji = c.emoji AND r.user_id = ? \
                   WHERE c.message_id IN (*) ORDER BY c.message_id, c.first_seq";
        let mut conn = self.reader().await?;
        for row in conn.fetch_in(sql, args![user], messages).await? {
            let reaction = ReactionCount {
                emoji: row.text(1)?,
                count: row.int(2)?,
                mine: row.opt_int(3)?.is_some(),
            };
            found.entry(row.int(0)?).or_default().push(reaction);
        }
        Ok(found)
    }

    /// The messages that a group keeps in sight and a member who joined with `joined` may see, the newest pin first, those
    /// behind the message `after`, at most `limit`; `None` where that one is no longer among them.
    pub async fn pins_page(
        &self,
        (conversation, joined): (&str, Seq),
        after: Option<i64>,
        limit: i64,
    ) -> Result<Option<Vec<Entry>>> {
        let mut conn = self.reader().await?;
        let before = match after {
            None => Seq::MAX,
            Some(message) => {
                let sql = "SELECT pinned_seq FROM pins WHERE conversation = ? AND message_id = ?";
                match conn.fetch_one(sql, args![conversation, message]).await? {
                    Some(row) => row.int(0)?,
                    None => return Ok(None),
                }
            }
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM pins p JOIN entries e ON e.id = p.message_id {JOINS} \
             WHERE p.conversation = ? AND p.pinned_seq < ? AND e.seq >= ? ORDER BY p.pinned_seq DESC LIMIT ?"
        );
        let values = args![conversation, before, joined, limit];
        let rows = conn.fetch(sql, values).await?;
        let pins: Result<Vec<Entry>> = rows.iter().map(entry).collect();
        pins.map(Some)
    }

    /// Takes away what nobody is shown any more: the reactions with these emoji to a message that was recalled. A
    /// transaction each, so that nobody waits long for them.
    pub async fn forget_reactions(&self, message: i64, emojis: &[String]) -> Result<()> {
        for emoji in emojis {
            let sql = "DELETE FROM reactions WHERE message_id = ? AND emoji = ?";
            self.repeated(async || self.execute(sql, args![message, emoji]).await)
                .await?;
        }
        Ok(())
    }
}

impl Tx {
    /// How many reacted to a message with this emoji, and with how many kinds people did. Lock its conversation first.
    pub async fn reaction_kinds(&mut self, message: i64, emoji: &str) -> Result<(i64, i64)> {
        let sql = "SELECT COALESCE(SUM(CASE WHEN emoji = ? THEN count ELSE 0 END), 0), COUNT(*) \
                   FROM reaction_counts WHERE message_id = ?";
        let row = self.conn.fetch_one(sql, args![emoji, message]).await?;
        row.map_or(Ok((0, 0)), |row| Ok((row.int(0)?, row.int(1)?)))
    }

    /// Returns true if this user reacted to a message with this emoji.
    pub async fn has_reacted(&mut self, message: i64, emoji: &str, user: UserId) -> Result<bool> {
        let sql = "SELECT 1 FROM reactions WHERE message_id = ? AND emoji = ? AND user_id = ?";
        let row = self
            .conn
            .fetch_one(sql, args![message, emoji, user])
            .await?;
        Ok(row.is_some())
    }

    /// A user who did not react with this emoji does, by the entry at `seq`; `count` is how many do then.
    pub async fn add_reaction(
        &mut self,
        (message, emoji): (i64, &str),
        user: UserId,
        (count, seq): (i64, Seq),
    ) -> Result<()> {
        let sql = "INSERT INTO reactions (message_id, emoji, user_id) VALUES (?, ?, ?)";
        self.conn.execute(sql, args![message, emoji, user]).await?;
        let overwrite = self
            .dialect()
            .on_conflict_overwrite("message_id, emoji", &["count"]);
        let sql = format!(
            "INSERT INTO reaction_counts (message_id, emoji, count, first_seq) VALUES (?, ?, ?, ?){overwrite}"
        );
        self.conn
            .execute(sql, args![message, emoji, count, seq])
            .await?;
        Ok(())
    }

    /// A user who reacted with this emoji does no longer; `count` is how many still do.
    pub async fn remove_reaction(
        &mut self,
        (message, emoji): (i64, &str),
        user: UserId,
        count: i64,
    ) -> Result<()> {
        let sql = "DELETE FROM reactions WHERE message_id = ? AND emoji = ? AND user_id = ?";
        self.conn.execute(sql, args![message, emoji, user]).await?;
        if count == 0 {
            let sql = "DELETE FROM reaction_counts WHERE message_id = ? AND emoji = ?";
            self.conn.execute(sql, args![message, emoji]).await?;
        } else {
            let sql = "UPDATE reaction_counts SET count = ? WHERE message_id = ? AND emoji = ?";
            self.conn.execute(sql, args![count, message, emoji]).await?;
        }
        Ok(())
    }

    /// Takes away what is shown with a message: no reactions are counted, no group keeps it in sight. Answers with which
    /// emoji people reacted, for [`Store::forget_reactions`].
    pub async fn clear_message(&mut self, conversation: &str, message: i64) -> Result<Vec<String>> {
        let sql = "SELECT emoji FROM reaction_counts WHERE message_id = ?";
        let rows = self.conn.fetch(sql, args![message]).await?;
        let emojis: Result<Vec<String>> = rows.iter().map(|row| row.text(0)).collect();
        let sql = "DELETE FROM reaction_counts WHERE message_id = ?";
        self.conn.execute(sql, args![message]).await?;
        self.unpin(conversation, message).await?;
        emojis
    }

    /// Keeps a message in sight, by the entry at `seq`.
    pub async fn pin(&mut self, conversation: &str, message: i64, seq: Seq) -> Result<()> {
        let sql = "INSERT INTO pins (conversation, message_id, pinned_seq) VALUES (?, ?, ?)";
        self.conn
            .execute(sql, args![conversation, message, seq])
            .await?;
        Ok(())
    }

    /// No longer keeps a message in sight; answers whether it did.
    pub async fn unpin(&mut self, conversation: &str, message: i64) -> Result<bool> {
        let sql = "DELETE FROM pins WHERE conversation = ? AND message_id = ?";
        Ok(self.conn.execute(sql, args![conversation, message]).await? == 1)
    }

    /// Whether a message is kept in sight, and how many a group keeps there.
    pub async fn pinned(&mut self, conversation: &str, message: i64) -> Result<(bool, i64)> {
        let sql = "SELECT COALESCE(SUM(CASE WHEN message_id = ? THEN 1 ELSE 0 END), 0), COUNT(*) \
                   FROM pins WHERE conversation = ?";
        let row = self
            .conn
            .fetch_one(sql, args![message, conversation])
            .await?;
        row.map_or(Ok((false, 0)), |row| Ok((row.int(0)? > 0, row.int(1)?)))
    }
}
