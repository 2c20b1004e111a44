//! Messages that were committed before.

use lingxi_domain::{Seq, UserId, content_hash};

use crate::error::Result;
use crate::sql::{Column, Conn, Row, args};
use crate::{Store, Tx};

const IDENTITY: &[Column] = &[
    Column::Text("conversation"),
    Column::Int("sender_id"),
    Column::Text("msg_id"),
];

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
    /// The [`lingxi_domain::said_hash`] of what it was committed with; `None` where nobody knows it any more.
    pub content: Option<i64>,
}

/// Rows that an older version wrote have no hash: their text says as much, as long as it is the first one.
fn first_content(repeat: &Row) -> Result<Option<i64>> {
    if let Some(hash) = repeat.opt_int(5)? {
        return Ok(Some(hash));
    }
    Ok(repeat.opt_text(6)?.as_deref().map(content_hash))
}

/// Which of these messages were committed before.
async fn repeats(conn: &mut Conn, keys: &[RepeatKey<'_>]) -> Result<Vec<Repeat>> {
    let mut found = Vec::new();
    for piece in conn.dialect().value_chunks(keys) {
        let mut cells = Vec::with_capacity(piece.len() * 3);
        for &(conversation, sender, msg_id) in piece {
            cells.extend(args![conversation, sender, msg_id]);
        }
        let (head, values) = conn.dialect().with_values(IDENTITY, cells);
        let sql = format!(
            "{head} SELECT e.conversation, e.sender_id, e.msg_id, e.id, e.seq, e.content_hash, \
             CASE WHEN e.content_hash IS NULL AND e.recalled_at IS NULL AND e.edited_at IS NULL THEN e.content END \
             FROM v JOIN entries e \
             ON e.conversation = v.conversation AND e.sender_id = v.sender_id AND e.msg_id = v.msg_id"
        );
        for row in conn.fetch(sql, values).await? {
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

impl Store {
    /// The message that has this identity, once it is committed.
    pub async fn find_repeat(&self, key: RepeatKey<'_>) -> Result<Option<Repeat>> {
        let mut conn = self.reader().await?;
        Ok(repeats(&mut conn, &[key]).await?.pop())
    }
}

impl Tx {
    /// Which of these messages were committed before.
    pub async fn find_repeats(&mut self, keys: &[RepeatKey<'_>]) -> Result<Vec<Repeat>> {
        repeats(&mut self.conn, keys).await
    }
}
