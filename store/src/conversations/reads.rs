//! Read cursors: how far each member has read.

use std::cmp::Reverse;

use lingxi_domain::{Seq, UserId};

use crate::Store;
use crate::error::Result;
use crate::sql::{Column, args};

/// A member read everything up to here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadMark<'a> {
    /// The conversation's key.
    pub conversation: &'a str,
    /// Who.
    pub user_id: UserId,
    /// The last entry that was read; anything past the head for all of them.
    pub upto: Seq,
}

/// What became of a read cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadMove {
    /// Where it stood.
    pub before: Seq,
    /// Where it stands.
    pub now: Seq,
}

impl Store {
    /// Moves read cursors forward, each to its mark, but at most to the last entry that the member may see (the head, or
    /// his `left_seq`); the delivered cursor follows. Answers what became of each mark, in their order: `None` for a
    /// stranger. Of several marks of one member, or of those who move one cursor at the same time, the farthest counts, and
    /// each may be told that it moved the cursor.
    ///
    /// # Errors
    /// When the database fails; to do it again is harmless.
    pub async fn mark_read(&self, marks: &[ReadMark<'_>]) -> Result<Vec<Option<ReadMove>>> {
        let moves = self.read_moves(marks).await?;
        let mut targets: Vec<ReadMark<'_>> = Vec::with_capacity(marks.len());
        for (mark, moved) in marks.iter().zip(&moves) {
            if let Some(ReadMove { before, now }) = *moved
                && now > before
            {
                targets.push(ReadMark { upto: now, ..*mark });
            }
        }
        // In the order in which rows are locked everywhere, the farthest of a member first.
        targets.sort_unstable_by_key(|t| (t.conversation, t.user_id, Reverse(t.upto)));
        targets.dedup_by_key(|t| (t.conversation, t.user_id));
        if !targets.is_empty() {
            self.repeated(|| self.move_read(&targets)).await?;
        }
        Ok(moves)
    }

    /// Where the cursors stand and where they are to stand, read without a lock: a head only rises, and what was read was
    /// committed before.
    async fn read_moves(&self, marks: &[ReadMark<'_>]) -> Result<Vec<Option<ReadMove>>> {
        const COLUMNS: &[Column] = &[
            Column::Text("conversation"),
            Column::Int("user_id"),
            Column::Int("place"),
        ];
        let mut moves = vec![None; marks.len()];
        let mut conn = self.reader().await?;
        let dialect = conn.dialect();
        let places: Vec<(i64, &ReadMark<'_>)> = (0..).zip(marks).collect();
        for piece in dialect.value_chunks(&places) {
            let mut cells = Vec::with_capacity(piece.len() * 3);
            for &(place, mark) in piece {
                cells.extend(args![mark.conversation, mark.user_id, place]);
            }
            let (head, values) = dialect.with_values(COLUMNS, cells);
            let sql = format!(
                "{head} SELECT v.place, m.read_seq, COALESCE(m.left_seq, c.last_seq) FROM v \
                 JOIN members m ON m.conversation = v.conversation AND m.user_id = v.user_id \
                 JOIN conversations c ON c.conversation = m.conversation"
            );
            for row in conn.fetch(sql, values).await? {
                let place = usize::try_from(row.int(0)?).unwrap_or(usize::MAX);
                let (before, last) = (row.int(1)?, row.int(2)?);
                if let (Some(mark), Some(moved)) = (marks.get(place), moves.get_mut(place)) {
                    let now = mark.upto.min(last).max(before);
                    *moved = Some(ReadMove { before, now });
                }
            }
        }
        Ok(moves)
    }

    /// Moves those that stand before their target. A member stands in `targets` once, in the order of rows.
    pub(crate) async fn move_read(&self, targets: &[ReadMark<'_>]) -> Result<()> {
        const COLUMNS: &[Column] = &[
            Column::Text("conversation"),
            Column::Int("user_id"),
            Column::Int("upto"),
        ];
        let mut tx = self.begin().await?;
        for piece in tx.dialect().value_chunks(targets) {
            let mut cells = Vec::with_capacity(piece.len() * 3);
            for target in piece {
                cells.extend(args![target.conversation, target.user_id, target.upto]);
            }
            // Others may have moved it meanwhile, and who has left and come back stands past his target.
            let (sql, values) = tx.dialect().update_from_values(
                "members",
                COLUMNS,
                cells,
                (
                    "members.conversation = v.conversation AND members.user_id = v.user_id",
                    "members.read_seq < v.upto",
                ),
                &[
                    ("read_seq", "v.upto"),
                    (
                        "delivered_seq",
                        "CASE WHEN members.delivered_seq < v.upto THEN v.upto ELSE members.delivered_seq END",
                    ),
                ],
            );
            tx.conn.execute(sql, values).await?;
        }
        tx.commit().await
    }
}
