//! Delivered cursors: how far each member's client has confirmed.

use std::collections::HashMap;

use lingxi_domain::{Seq, UserId};

use crate::Store;
use crate::error::Result;
use crate::sql::{Column, args};

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

const COLUMNS: &[Column] = &[
    Column::Text("conversation"),
    Column::Int("user_id"),
    Column::Int("first"),
    Column::Int("upto"),
];

impl Store {
    /// Moves delivered cursors in one transaction. A move holds only where the cursor stands at `from - 1` or later, so
    /// a cursor never passes an entry that was not confirmed; it never moves back, and at most to the conversation's head.
    /// Moves of one member that touch are one move.
    pub async fn move_cursors(&self, moves: &[CursorMove]) -> Result<()> {
        let moves = joined(moves);
        let heads = self.heads_of(&moves).await?;
        self.repeated(|| self.move_cursors_once(&moves, &heads))
            .await
    }

    async fn move_cursors_once(
        &self,
        moves: &[CursorMove],
        heads: &HashMap<String, Seq>,
    ) -> Result<()> {
        let mut tx = self.begin().await?;
        for piece in tx.dialect().value_chunks(moves) {
            let mut cells = Vec::with_capacity(piece.len() * 4);
            for m in piece {
                // Without a head there is nothing that could have been confirmed.
                let upto = heads.get(&m.conversation).map_or(0, |&head| m.to.min(head));
                cells.extend(args![&m.conversation, m.user_id, m.from, upto]);
            }
            let (sql, values) = tx.dialect().update_from_values(
                "members",
                COLUMNS,
                cells,
                (
                    "members.conversation = v.conversation AND members.user_id = v.user_id",
                    "members.delivered_seq >= v.first - 1 AND members.delivered_seq < v.upto",
                ),
                &[("delivered_seq", "v.upto")],
            );
            tx.conn.execute(sql, values).await?;
        }
        tx.commit().await
    }

    /// The heads of the moves' conversations, read without a lock: a head only rises, and what a client confirmed was
    /// committed before. Joined inside the UPDATE they would be locked by it, on MySQL, against the committer.
    async fn heads_of(&self, moves: &[CursorMove]) -> Result<HashMap<String, Seq>> {
        let mut keys: Vec<&str> = moves.iter().map(|m| m.conversation.as_str()).collect();
        keys.dedup();
        let sql = "SELECT conversation, last_seq FROM conversations WHERE conversation IN (*)";
        let rows = self.reader().await?.fetch_in(sql, vec![], &keys).await?;
        rows.iter().map(|r| Ok((r.text(0)?, r.int(1)?))).collect()
    }
}

/// In the order in which the rows are locked; those of one member that overlap or follow each other are one.
fn joined(moves: &[CursorMove]) -> Vec<CursorMove> {
    let mut ordered: Vec<&CursorMove> = moves.iter().collect();
    ordered.sort_unstable_by(|a, b| {
        let key = |m: &CursorMove| (m.user_id, m.from, m.to);
        (&a.conversation, key(a)).cmp(&(&b.conversation, key(b)))
    });
    let mut joined: Vec<CursorMove> = Vec::with_capacity(moves.len());
    for m in ordered {
        match joined.last_mut() {
            Some(last)
                if last.conversation == m.conversation
                    && last.user_id == m.user_id
                    && m.from <= last.to.saturating_add(1) =>
            {
                last.to = last.to.max(m.to);
            }
            _ => joined.push(m.clone()),
        }
    }
    joined
}
