//! Setting, changing and ending a webhook.

use lingxi_domain::{UserId, now_ms};

use super::IN_USE;
use crate::Store;
use crate::error::Result;
use crate::sql::args;

impl Store {
    /// Sets or changes a bot's webhook; answers whether there is such a bot. A webhook that begins (none was in use) is told
    /// of what is said from now on; one that is changed goes on where it was.
    pub async fn set_webhook(&self, bot: UserId, url: &str, secret: &str) -> Result<bool> {
        self.repeated(|| self.set_webhook_once(bot, url, secret))
            .await
    }

    async fn set_webhook_once(&self, bot: UserId, url: &str, secret: &str) -> Result<bool> {
        let mut tx = self.begin().await?;
        let sql = format!(
            "SELECT url IS NOT NULL AND disabled_at IS NULL FROM bots WHERE user_id = ?{}",
            tx.dialect().for_update()
        );
        let Some(row) = tx.conn.fetch_one(sql, args![bot]).await? else {
            return Ok(false);
        };
        if row.int(0)? == 0 {
            let sql = "DELETE FROM webhook_cursors WHERE bot_id = ?";
            tx.conn.execute(sql, args![bot]).await?;
            let sql = "SELECT m.conversation, c.last_seq FROM members m \
                       JOIN conversations c ON c.conversation = m.conversation WHERE m.user_id = ?";
            let mut heads = Vec::new();
            for row in tx.conn.fetch(sql, args![bot]).await? {
                heads.push((row.text(0)?, row.int(1)?));
            }
            for piece in tx.dialect().chunks(&heads) {
                let sql = format!(
                    "INSERT INTO webhook_cursors (bot_id, conversation, seq) VALUES {}",
                    crate::sql::placeholders(piece.len(), 3)
                );
                let values = piece.iter().flat_map(|(key, seq)| args![bot, key, *seq]);
                tx.conn.execute(sql, values.collect()).await?;
            }
        }
        let sql = "UPDATE bots SET url = ?, secret = ?, disabled_at = NULL, version = version + 1 WHERE user_id = ?";
        tx.conn.execute(sql, args![url, secret, bot]).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Takes a bot's webhook away; answers whether it had one. What waited for another attempt has failed with that.
    pub async fn remove_webhook(&self, bot: UserId) -> Result<bool> {
        let set = "url = NULL, secret = NULL, disabled_at = NULL, owner = '', expires_at = 0";
        self.repeated(|| self.end_webhook(bot, set, None, "the webhook was removed"))
            .await
    }

    /// Its server wants no more: the webhook rests until it is set again. Answers whether it was still that one.
    pub async fn disable_webhook(&self, bot: UserId, version: i64) -> Result<bool> {
        let now = self.dialect().now_ms();
        let set = format!("disabled_at = {now}, owner = '', expires_at = 0");
        let why = "the server answered 410: the webhook is disabled";
        self.repeated(|| self.end_webhook(bot, &set, Some(version), why))
            .await
    }

    /// Ends the webhook of this version, or whichever there is.
    async fn end_webhook(
        &self,
        bot: UserId,
        set: &str,
        version: Option<i64>,
        why: &str,
    ) -> Result<bool> {
        let mut tx = self.begin().await?;
        let sql = format!(
            "UPDATE bots SET {set}, version = version + 1 WHERE user_id = ? AND url IS NOT NULL \
             AND version = COALESCE(?, version)"
        );
        if tx.conn.execute(sql, args![bot, version]).await? == 0 {
            return Ok(false);
        }
        let sql = "UPDATE webhook_deliveries SET state = 'failed', held = 0, last_error = ?, updated_at = ? \
                   WHERE bot_id = ? AND state = 'queued'";
        tx.conn.execute(sql, args![why, now_ms(), bot]).await?;
        let sql = "DELETE FROM webhook_cursors WHERE bot_id = ?";
        tx.conn.execute(sql, args![bot]).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The bots whose webhooks are in use.
    pub async fn webhook_bots(&self) -> Result<Vec<UserId>> {
        let sql = format!("SELECT user_id FROM bots WHERE {IN_USE}");
        let rows = self.reader().await?.fetch(sql, args![]).await?;
        rows.iter().map(|row| row.int(0)).collect()
    }
}
