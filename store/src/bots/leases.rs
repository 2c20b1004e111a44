//! Who delivers to which webhook: one process at a time, by the database's clock.

use lingxi_domain::UserId;

use super::IN_USE;
use crate::Store;
use crate::error::Result;
use crate::sql::{Row, args};

/// A webhook that its owner delivers to.
#[derive(Clone, PartialEq, Eq)]
pub struct HeldWebhook {
    /// Whose it is.
    pub bot: UserId,
    /// Rises with every change of owner; the fence of what is written about failures.
    pub epoch: i64,
    /// Rises with every change of the webhook.
    pub version: i64,
    /// Its address.
    pub url: String,
    /// What deliveries are signed with: `whsec_…`.
    pub secret: String,
}

impl std::fmt::Debug for HeldWebhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("HeldWebhook");
        shown.field("bot", &self.bot).field("epoch", &self.epoch);
        shown.finish_non_exhaustive()
    }
}

fn held(row: &Row) -> Result<HeldWebhook> {
    Ok(HeldWebhook {
        bot: row.int(0)?,
        epoch: row.int(1)?,
        version: row.int(2)?,
        url: row.text(3)?,
        secret: row.text(4)?,
    })
}

impl Store {
    /// Takes up to `limit` webhooks in use that nobody has, or whose owner's lease has expired; all of them, expired or not,
    /// when `even_held` says that the caller alone can be using this database. Answers how many.
    pub async fn take_webhooks(
        &self,
        owner: &str,
        ttl_ms: i64,
        limit: i64,
        even_held: bool,
    ) -> Result<u64> {
        let now = self.dialect().now_ms();
        let free = format!("{IN_USE} AND owner <> ? AND (? = 1 OR expires_at < {now})");
        // Mostly there are none: look without the writer first.
        let sql = format!("SELECT user_id FROM bots WHERE {free} ORDER BY expires_at LIMIT ?");
        let mut conn = self.reader().await?;
        let rows = conn.fetch(sql, args![owner, even_held, limit]).await?;
        drop(conn);
        let mut taken = 0;
        for row in rows {
            let sql = format!(
                "UPDATE bots SET owner = ?, epoch = epoch + 1, expires_at = {now} + ? WHERE user_id = ? AND {free}"
            );
            let bot = row.int(0)?;
            let values = || args![owner, ttl_ms, bot, owner, even_held];
            let one = || self.execute(sql.clone(), values());
            taken += self.retried(one).await?;
        }
        Ok(taken)
    }

    /// Keeps the caller's webhooks for another `ttl_ms`; answers those that it still has, as they are now.
    pub async fn renew_webhooks(&self, owner: &str, ttl_ms: i64) -> Result<Vec<HeldWebhook>> {
        let mut conn = self.reader().await?;
        let sql = format!(
            "SELECT user_id, epoch, version, url, secret FROM bots WHERE owner = ? AND {IN_USE} \
             AND expires_at >= {}",
            self.dialect().now_ms()
        );
        let rows = conn.fetch(sql, args![owner]).await?;
        drop(conn);
        let held = rows.iter().map(held).collect::<Result<Vec<_>>>()?;
        if held.is_empty() {
            return Ok(held);
        }
        let now = self.dialect().now_ms();
        let sql = format!(
            "UPDATE bots SET expires_at = {now} + ? WHERE owner = ? AND expires_at >= {now}"
        );
        let renewed = || self.execute(sql.clone(), args![ttl_ms, owner]);
        self.retried(renewed).await?;
        Ok(held)
    }

    /// Gives the caller's webhooks up, so that others need not wait for the leases to expire.
    pub async fn release_webhooks(&self, owner: &str) -> Result<()> {
        let sql = "UPDATE bots SET owner = '', expires_at = 0 WHERE owner = ?";
        self.retried(|| self.execute(sql, args![owner])).await?;
        Ok(())
    }
}
