//! What is due for a webhook.

use lingxi_domain::{Seq, UserId};

use crate::Store;
use crate::error::Result;
use crate::sql::{Row, args};

/// A conversation of which a webhook is to be told more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// The conversation's key.
    pub conversation: String,
    /// The first entry that it was not told of.
    pub first: Seq,
    /// The last entry that the bot may see.
    pub last: Seq,
    /// The bot has left: it saw the log up to there.
    pub left_seq: Option<Seq>,
    /// Failed attempts of the first entry.
    pub attempts: i64,
}

/// A delivery that is tried again by itself: its conversation does not wait for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueDelivery {
    /// The message.
    pub message_id: i64,
    /// Its conversation's key.
    pub conversation: String,
    /// Its place.
    pub seq: Seq,
    /// Failed attempts.
    pub attempts: i64,
}

/// What a webhook is due.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lanes {
    /// Conversations, by their keys; as many as were asked for, at most.
    pub lanes: Vec<Lane>,
    /// Single deliveries, the longest due first; as many as were asked for, at most.
    pub deliveries: Vec<DueDelivery>,
    /// In how many milliseconds more is due, where something waits for its time.
    pub next_ms: Option<i64>,
}

const LANE: &str = "SELECT m.conversation, COALESCE(w.seq, 0), m.joined_seq, m.left_seq, c.last_seq, COALESCE(w.attempts, 0) \
    FROM members m JOIN conversations c ON c.conversation = m.conversation \
    LEFT JOIN webhook_cursors w ON w.bot_id = m.user_id AND w.conversation = m.conversation \
    WHERE m.user_id = ? AND COALESCE(m.left_seq, c.last_seq) > COALESCE(w.seq, 0)";

fn lane(row: &Row) -> Result<Lane> {
    let (told, joined_seq) = (row.int(1)?, row.int(2)?);
    let left_seq = row.opt_int(3)?;
    let behind = told + 1 >= joined_seq;
    Ok(Lane {
        conversation: row.text(0)?,
        first: (told + 1).max(joined_seq),
        last: left_seq.unwrap_or(Seq::MAX).min(row.int(4)?),
        left_seq,
        attempts: if behind { row.int(5)? } else { 0 },
    })
}

impl Store {
    /// Of these conversations, those of which a bot's webhook is to be told more now.
    pub async fn webhook_lanes(&self, bot: UserId, conversations: &[&str]) -> Result<Vec<Lane>> {
        let sql = format!(
            "{LANE} AND COALESCE(w.retry_at, 0) <= {} AND m.conversation IN (*)",
            self.dialect().now_ms()
        );
        let mut conn = self.reader().await?;
        let rows = conn.fetch_in(&sql, args![bot], conversations).await?;
        let mut lanes = rows.iter().map(lane).collect::<Result<Vec<_>>>()?;
        // A key may stand in a list more than once.
        lanes.sort_unstable_by(|a, b| a.conversation.cmp(&b.conversation));
        lanes.dedup_by(|a, b| a.conversation == b.conversation);
        Ok(lanes)
    }

    /// Everything that is due for a bot's webhook now: at most `limit` conversations behind the key `after`, and `limit`
    /// single deliveries.
    pub async fn webhook_due(&self, bot: UserId, after: &str, limit: usize) -> Result<Lanes> {
        let now = self.dialect().now_ms();
        let mut conn = self.reader().await?;
        let sql = format!(
            "{LANE} AND COALESCE(w.retry_at, 0) <= {now} AND m.conversation > ? ORDER BY m.conversation LIMIT ?"
        );
        let rows = conn.fetch(sql, args![bot, after, limit]).await?;
        let lanes = rows.iter().map(lane).collect::<Result<_>>()?;
        let queued = "FROM webhook_deliveries WHERE bot_id = ? AND state = 'queued' AND held = 0";
        let sql = format!(
            "SELECT message_id, conversation, seq, attempts {queued} AND due_at <= {now} ORDER BY due_at LIMIT ?"
        );
        let rows = conn.fetch(sql, args![bot, limit]).await?;
        let deliveries = rows.iter().map(|row| {
            Ok(DueDelivery {
                message_id: row.int(0)?,
                conversation: row.text(1)?,
                seq: row.int(2)?,
                attempts: row.int(3)?,
            })
        });
        let deliveries = deliveries.collect::<Result<_>>()?;
        let sql = format!(
            "SELECT (SELECT MIN(retry_at) FROM webhook_cursors WHERE bot_id = ? AND retry_at > {now}) - {now}, \
             (SELECT MIN(due_at) {queued} AND due_at > {now}) - {now}"
        );
        let row = conn.fetch_one(sql, args![bot, bot]).await?;
        let next_ms = match row {
            None => None,
            Some(row) => [row.opt_int(0)?, row.opt_int(1)?]
                .into_iter()
                .flatten()
                .min(),
        };
        Ok(Lanes {
            lanes,
            deliveries,
            next_ms,
        })
    }
}
