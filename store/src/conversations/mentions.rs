//! Where users are mentioned.

use lingxi_domain::{Seq, UserId};

use crate::Tx;
use crate::error::Result;
use crate::sql::{args, placeholders};

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
