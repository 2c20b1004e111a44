//! Deliveries that did not succeed at once, as operators see them.

use lingxi_domain::{Seq, UserId, now_ms};

use crate::Store;
use crate::error::{Error, Result};
use crate::sql::{Row, args};

/// What has become of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// It waits for its next attempt.
    Queued,
    /// It succeeded in the end.
    Done,
    /// It is no more to be made: its webhook has ended, or the message is gone.
    Failed,
    /// Its last attempt failed.
    Dead,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Queued, Self::Done, Self::Failed, Self::Dead];

    /// As the store keeps it, and as clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Dead => "dead",
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|state| state.as_str() == text);
        known.ok_or_else(|| Error::Corrupt(format!("webhook_deliveries.state = {text}")))
    }
}

/// A delivery that did not succeed at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The bot.
    pub bot: UserId,
    /// The message.
    pub message_id: i64,
    /// Its conversation's key.
    pub conversation: String,
    /// Its place.
    pub seq: Seq,
    /// What has become of it.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: i64,
    /// When the next one is due, by the database's clock.
    pub due_at: i64,
    /// The last answer's status.
    pub last_status: Option<i64>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When the first attempt failed, milliseconds since the Unix epoch.
    pub created_at: i64,
    /// When this changed last.
    pub updated_at: i64,
}

fn delivery(row: &Row) -> Result<Delivery> {
    Ok(Delivery {
        bot: row.int(0)?,
        message_id: row.int(1)?,
        conversation: row.text(2)?,
        seq: row.int(3)?,
        state: DeliveryState::parse(&row.text(4)?)?,
        attempts: row.int(5)?,
        due_at: row.int(6)?,
        last_status: row.opt_int(7)?,
        last_error: row.opt_text(8)?,
        created_at: row.int(9)?,
        updated_at: row.int(10)?,
    })
}

const COLUMNS: &str = "bot_id, message_id, conversation, seq, state, attempts, due_at, last_status, last_error, created_at, \
    updated_at";

impl Store {
    /// Deliveries in this state, those that changed last first; those before `(updated_at, bot, message_id)` of the last one
    /// of the page before, where there is one.
    pub async fn deliveries(
        &self,
        state: DeliveryState,
        before: Option<(i64, UserId, i64)>,
        limit: usize,
    ) -> Result<Vec<Delivery>> {
        let (at, bot, message) = before.unwrap_or((i64::MAX, 0, 0));
        let sql = format!(
            "SELECT {COLUMNS} FROM webhook_deliveries WHERE state = ? AND (updated_at < ? OR \
             (updated_at = ? AND (bot_id < ? OR (bot_id = ? AND message_id < ?)))) \
             ORDER BY updated_at DESC, bot_id DESC, message_id DESC LIMIT ?"
        );
        let values = args![state.as_str(), at, at, bot, bot, message, limit];
        let rows = self.reader().await?.fetch(sql, values).await?;
        rows.iter().map(delivery).collect()
    }

    /// One delivery, if it did not succeed at once and is still kept.
    pub async fn delivery(&self, bot: UserId, message_id: i64) -> Result<Option<Delivery>> {
        let sql =
            format!("SELECT {COLUMNS} FROM webhook_deliveries WHERE bot_id = ? AND message_id = ?");
        let row = self
            .reader()
            .await?
            .fetch_one(sql, args![bot, message_id])
            .await?;
        row.as_ref().map(delivery).transpose()
    }

    /// Makes a delivery due once more that failed or was given up, from its first attempt on. Answers whether it was one,
    /// and its bot has a webhook in use.
    pub async fn retry_delivery(&self, bot: UserId, message_id: i64) -> Result<bool> {
        let sql = "UPDATE webhook_deliveries SET state = 'queued', held = 0, attempts = 0, due_at = 0, updated_at = ? \
                   WHERE bot_id = ? AND message_id = ? AND state IN ('failed', 'dead') AND EXISTS \
                   (SELECT 1 FROM bots b WHERE b.user_id = ? AND b.url IS NOT NULL AND b.disabled_at IS NULL)";
        let values = || args![now_ms(), bot, message_id, bot];
        let found = self.retried(async || self.execute(sql, values()).await);
        Ok(found.await? == 1)
    }

    /// How many deliveries are in each state.
    pub async fn count_deliveries(&self) -> Result<Vec<(DeliveryState, i64)>> {
        let sql = "SELECT state, COUNT(*) FROM webhook_deliveries GROUP BY state";
        let rows = self.reader().await?.fetch(sql, args![]).await?;
        rows.iter()
            .map(|row| Ok((DeliveryState::parse(&row.text(0)?)?, row.int(1)?)))
            .collect()
    }

    /// Removes deliveries in this state that changed before that time, at most `limit`; answers how many.
    pub async fn prune_deliveries(
        &self,
        state: DeliveryState,
        changed_before: i64,
        limit: usize,
    ) -> Result<usize> {
        let sql = "SELECT bot_id, message_id FROM webhook_deliveries WHERE state = ? AND updated_at < ? LIMIT ?";
        let mut conn = self.reader().await?;
        let rows = conn
            .fetch(sql, args![state.as_str(), changed_before, limit])
            .await?;
        drop(conn);
        if rows.is_empty() {
            return Ok(0);
        }
        self.repeated(async || {
            let mut tx = self.begin().await?;
            for row in &rows {
                let sql = "DELETE FROM webhook_deliveries WHERE bot_id = ? AND message_id = ? AND state = ?";
                let values = args![row.int(0)?, row.int(1)?, state.as_str()];
                tx.conn.execute(sql, values).await?;
            }
            tx.commit().await
        })
        .await?;
        Ok(rows.len())
    }
}
