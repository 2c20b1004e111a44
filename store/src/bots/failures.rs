//! Attempts that failed, and what becomes of the delivery.

use lingxi_domain::{Seq, UserId, now_ms};

use super::HeldWebhook;
use crate::error::{Error, Result};
use crate::sql::args;
use crate::{Store, Tx};

/// An attempt that failed.
#[derive(Clone, Debug)]
pub struct FailedAttempt<'a> {
    /// The message.
    pub message_id: i64,
    /// Its conversation's key.
    pub conversation: &'a str,
    /// Its place.
    pub seq: Seq,
    /// Whether its conversation waited for it.
    pub in_order: bool,
    /// The server's answer, if there was one.
    pub status: Option<u16>,
    /// What went wrong.
    pub error: &'a str,
}

/// What becomes of a delivery whose attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Tried again in so many milliseconds; its conversation waits for it.
    Hold(i64),
    /// Tried again in so many milliseconds, by itself: its conversation goes on.
    Pass(i64),
    /// Given up.
    Dead,
}

impl Store {
    /// Records a failed attempt and what becomes of the delivery; answers that. A conversation waits on where `parked`
    /// deliveries of the bot wait by themselves already.
    ///
    /// # Errors
    /// [`Error::Fenced`] when the webhook has another owner now, or is another one.
    pub async fn fail_delivery(
        &self,
        held: &HeldWebhook,
        owner: &str,
        failed: &FailedAttempt<'_>,
        next: Next,
        parked: i64,
    ) -> Result<Next> {
        self.retried(async || {
            let mut tx = self.begin().await?;
            tx.webhook_fence(held, owner).await?;
            let mut next = next;
            if let (Next::Pass(wait), true) = (next, failed.in_order)
                && tx.parked(held.bot, parked).await? >= parked
            {
                next = Next::Hold(wait);
            }
            tx.write_failure(held.bot, failed, next).await?;
            tx.commit().await?;
            Ok(next)
        })
        .await
    }

    /// A delivery that had failed before succeeded.
    pub async fn finish_delivery(&self, bot: UserId, message_id: i64, status: u16) -> Result<()> {
        self.end_delivery(bot, message_id, "done", Some(status), None)
            .await
    }

    /// A delivery that had failed before is no more to be made.
    pub async fn drop_delivery(&self, bot: UserId, message_id: i64, why: &str) -> Result<()> {
        self.end_delivery(bot, message_id, "failed", None, Some(why))
            .await
    }

    async fn end_delivery(
        &self,
        bot: UserId,
        message_id: i64,
        state: &str,
        status: Option<u16>,
        why: Option<&str>,
    ) -> Result<()> {
        let sql = "UPDATE webhook_deliveries SET state = ?, held = 0, attempts = attempts + ?, last_status = COALESCE(?, last_status), \
                   last_error = ?, updated_at = ? WHERE bot_id = ? AND message_id = ? AND state = 'queued'";
        let status = status.map(i64::from);
        let attempts = i64::from(status.is_some());
        let values = || args![state, attempts, status, why, now_ms(), bot, message_id];
        self.repeated(async || self.execute(sql, values()).await)
            .await?;
        Ok(())
    }
}

impl Tx {
    async fn webhook_fence(&mut self, held: &HeldWebhook, owner: &str) -> Result<()> {
        let sql = format!(
            "SELECT 1 FROM bots WHERE user_id = ? AND owner = ? AND epoch = ? AND version = ?{}",
            self.dialect().for_update()
        );
        let values = args![held.bot, owner, held.epoch, held.version];
        let row = self.conn.fetch_one(sql, values).await?;
        row.map(|_| ()).ok_or(Error::Fenced)
    }

    /// How many deliveries of a bot wait by themselves, counted to `most`.
    async fn parked(&mut self, bot: UserId, most: i64) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM webhook_deliveries \
                   WHERE bot_id = ? AND state = 'queued' AND held = 0 LIMIT ?) p";
        let row = self.conn.fetch_one(sql, args![bot, most]).await?;
        row.map_or(Ok(0), |row| row.int(0))
    }

    async fn write_failure(
        &mut self,
        bot: UserId,
        failed: &FailedAttempt<'_>,
        next: Next,
    ) -> Result<()> {
        let now = self.dialect().now_ms();
        let (state, held, wait) = match next {
            Next::Hold(wait) => ("queued", true, wait),
            Next::Pass(wait) => ("queued", false, wait),
            Next::Dead => ("dead", false, 0),
        };
        let (conversation, seq) = (failed.conversation, failed.seq);
        let keep = self.dialect().on_conflict_keep("bot_id, message_id");
        let sql = format!(
            "INSERT INTO webhook_deliveries (bot_id, message_id, conversation, seq, state, attempts, due_at, created_at, \
             updated_at) VALUES (?, ?, ?, ?, 'queued', 0, 0, ?, ?){keep}"
        );
        let values = args![
            bot,
            failed.message_id,
            conversation,
            seq,
            now_ms(),
            now_ms()
        ];
        self.conn.execute(sql, values).await?;
        let sql = format!(
            "UPDATE webhook_deliveries SET state = ?, held = ?, attempts = attempts + 1, due_at = {now} + ?, \
             last_status = ?, last_error = ?, updated_at = ? WHERE bot_id = ? AND message_id = ?"
        );
        let status = failed.status.map(i64::from);
        let values = args![
            state,
            held,
            wait,
            status,
            failed.error,
            now_ms(),
            bot,
            failed.message_id
        ];
        self.conn.execute(sql, values).await?;
        if !failed.in_order {
            return Ok(());
        }
        let sql = format!(
            "INSERT INTO webhook_cursors (bot_id, conversation, seq) VALUES (?, ?, 0){}",
            self.dialect().on_conflict_keep("bot_id, conversation")
        );
        self.conn.execute(sql, args![bot, conversation]).await?;
        // The conversation waits right before the message, or goes on behind it. MySQL assigns from left to right: what was
        // counted belongs to the entry behind the old place.
        let seq = if held { seq - 1 } else { seq };
        let moved =
            "seq = CASE WHEN seq < ? THEN ? ELSE seq END WHERE bot_id = ? AND conversation = ?";
        let (sets, mut values) = match held {
            true => (
                format!(
                    "attempts = CASE WHEN seq < ? THEN 1 ELSE attempts + 1 END, retry_at = {now} + ?"
                ),
                args![seq, wait],
            ),
            false => ("attempts = 0, retry_at = 0".to_owned(), args![]),
        };
        values.extend(args![seq, seq, bot, conversation]);
        let sql = format!("UPDATE webhook_cursors SET {sets}, {moved}");
        self.conn.execute(sql, values).await?;
        Ok(())
    }
}
