//! Where users are mentioned.

use std::collections::HashMap;

use lingxi_domain::{Seq, UserId};

use crate::error::Result;
use crate::sql::{args, placeholders};
use crate::{Store, Tx};

/// A message that mentions somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mention<'a> {
    /// The conversation's key.
    pub conversation: &'a str,
    /// Who is mentioned; [`lingxi_domain::detail::EVERYBODY`] where all members are.
    pub user_id: UserId,
    /// The place of the message.
    pub seq: Seq,
    /// Who wrote it.
    pub sender_id: UserId,
}

/// Entries behind the read cursor that are looked at, as for unread messages.
const WINDOW: i64 = 2_000;

impl Store {
    /// How many messages of others behind the user's read cursors mention them, in those of these conversations where any
    /// does.
    pub async fn mention_counts(
        &self,
        user: UserId,
        conversations: &[&str],
    ) -> Result<HashMap<String, i64>> {
        if conversations.is_empty() {
            return Ok(HashMap::new());
        }
        let of = |who: &str| {
            format!(
                "(SELECT COUNT(*) FROM mentions x WHERE x.conversation = m.conversation AND x.user_id = {who} \
                 AND x.seq > m.read_seq AND x.seq >= m.joined_seq AND x.seq <= m.read_seq + {WINDOW} \
                 AND x.sender_id <> m.user_id)"
            )
        };
        let sql = format!(
            "SELECT m.conversation, {} + {} FROM members m WHERE m.user_id = ? AND m.conversation IN (*)",
            of("m.user_id"),
            of("0")
        );
        let mut conn = self.reader().await?;
        let rows = conn.fetch_in(&sql, args![user], conversations).await?;
        let counts = rows.iter().map(|row| Ok((row.text(0)?, row.int(1)?)));
        let counts: Vec<(String, i64)> = counts.collect::<Result<_>>()?;
        Ok(counts.into_iter().filter(|(_, count)| *count > 0).collect())
    }
}

impl Tx {
    /// Writes whom new messages mention.
    pub async fn insert_mentions(&mut self, mentions: &[Mention<'_>]) -> Result<()> {
        for piece in self.dialect().chunks(mentions) {
            let sql = format!(
                "INSERT INTO mentions (conversation, user_id, seq, sender_id) VALUES {}",
                placeholders(piece.len(), 4)
            );
            let values = piece.iter().flat_map(|mention| {
                args![
                    mention.conversation,
                    mention.user_id,
                    mention.seq,
                    mention.sender_id
                ]
            });
            self.conn.execute(sql, values.collect()).await?;
        }
        Ok(())
    }

    /// A message mentions nobody any more; `users` are those whom it did.
    pub async fn delete_mentions(
        &mut self,
        (conversation, seq): (&str, Seq),
        users: &[UserId],
    ) -> Result<()> {
        let sql = "DELETE FROM mentions WHERE conversation = ? AND seq = ? AND user_id IN (*)";
        self.conn
            .execute_in(sql, args![conversation, seq], users)
            .await?;
        Ok(())
    }
}
