//! Delivered cursors: how far each member's client has confirmed.

use lingxi_domain::{Seq, UserId};

use crate::Store;
use crate::error::Result;
use crate::sql::{args, chunks, dialect};

/// A client confirmed the entries `from..=to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorMove {
    /// The conversation's key.
    pub conversation: String,
    /// Whose client.
    pub user_id: UserId,
    /// The first entry confirmed.
    pub from: Seq,
    /// The last entry confirmed.
    pub to: Seq,
}

impl Store {
    /// Moves delivered cursors in one transaction. A move holds only where the cursor stands at `from - 1` or later, so
    /// a cursor never passes an entry that was not confirmed; it never moves back, and at most to the conversation's head.
    pub async fn move_cursors(&self, moves: &[CursorMove]) -> Result<()> {
        let mut tx = self.begin().await?;
        for piece in chunks(moves) {
            let mut values = Vec::with_capacity(piece.len() * 4);
            for m in piece {
                values.extend(args![&m.conversation, m.user_id, m.from, m.to]);
            }
            tx.conn
                .execute(dialect::move_delivered_cursors(piece.len()), values)
                .await?;
        }
        tx.commit().await
    }
}
