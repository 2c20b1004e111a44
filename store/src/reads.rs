//! Read cursors: how far each member has read.

use std::collections::{BTreeMap, HashMap};

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
    /// The last entry that was read; larger than the head for all of them.
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

/// A member of a conversation, in the order in which the rows are locked.
type Place<'a> = (&'a str, UserId);

const COLUMNS: &[Column] = &[
    Column::Text("conversation"),
    Column::Int("user_id"),
    Column::Int("upto"),
];

impl Store {
    /// Moves read cursors forward in one transaction, each to its mark, but at most to the last entry that the member may
    /// see (the head, or his `left_seq`); the delivered cursor follows. Of several marks of one member the farthest counts.
    /// Answers what became of each mark, in their order: `None` for a stranger.
    pub async fn mark_read(&self, marks: &[ReadMark<'_>]) -> Result<Vec<Option<ReadMove>>> {
        let mut wanted: BTreeMap<Place<'_>, Seq> = BTreeMap::new();
        for mark in marks {
            let upto = wanted.entry((mark.conversation, mark.user_id)).or_default();
            *upto = mark.upto.max(*upto);
        }
        let wanted: Vec<(Place<'_>, Seq)> = wanted.into_iter().collect();
        let moves = self.retried(|| self.mark_read_once(&wanted)).await?;
        let of_mark = |mark: &ReadMark<'_>| {
            let of_conversation = moves.get(mark.conversation)?;
            of_conversation.get(&mark.user_id).copied()
        };
        Ok(marks.iter().map(of_mark).collect())
    }

    async fn mark_read_once(
        &self,
        wanted: &[(Place<'_>, Seq)],
    ) -> Result<HashMap<String, HashMap<UserId, ReadMove>>> {
        let mut found: HashMap<String, HashMap<UserId, ReadMove>> = HashMap::new();
        let mut tx = self.begin().await?;
        let dialect = tx.dialect();
        let mut moved = false;
        for piece in dialect.value_chunks(wanted) {
            let mut cells = Vec::with_capacity(piece.len() * 3);
            for &((conversation, user), upto) in piece {
                cells.extend(args![conversation, user, upto]);
            }
            let (head, values) = dialect.with_values(COLUMNS, cells);
            // The head in a subquery, so that members' rows alone are locked: the conversation's is the committer's.
            let sql = format!(
                "{head} SELECT m.conversation, m.user_id, v.upto, m.read_seq, COALESCE(m.left_seq, \
                 (SELECT c.last_seq FROM conversations c WHERE c.conversation = m.conversation)) \
                 FROM v {} members m ON m.conversation = v.conversation AND m.user_id = v.user_id{}",
                dialect.lookup_join(),
                dialect.for_update()
            );
            let mut targets: Vec<(String, UserId, Seq)> = Vec::new();
            for row in tx.conn.fetch(sql, values).await? {
                let (conversation, user) = (row.text(0)?, row.int(1)?);
                let (upto, before, last) = (row.int(2)?, row.int(3)?, row.int(4)?);
                let now = upto.min(last).max(before);
                if now > before {
                    targets.push((conversation.clone(), user, now));
                }
                let of_conversation = found.entry(conversation).or_default();
                of_conversation.insert(user, ReadMove { before, now });
            }
            for targets in dialect.value_chunks(&targets) {
                let mut cells = Vec::with_capacity(targets.len() * 3);
                for (conversation, user, now) in targets {
                    cells.extend(args![conversation, *user, *now]);
                }
                let (sql, values) = dialect.update_from_values(
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
                moved = true;
            }
        }
        if moved {
            tx.commit().await?;
        }
        Ok(found)
    }
}
