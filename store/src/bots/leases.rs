//! Who delivers to which webhook: one process at a time, by the database's clock.

use lingxi_domain::UserId;

use super::IN_USE;
use crate::Store;
use crate::error::Result;
use crate::sql::{Row, args, list};

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
    /// Takes up to `limit` webhooks in use that nobody has, or whose owner's lease has expired, be it the caller's own; those of
    /// others, expired or not, when `even_held` says that the caller alone can be using this database. Answers how many.
    pub async fn take_webhooks(
        &self,
        owner: &str,
        ttl_ms: i64,
        limit: i64,
        even_held: bool,
    ) -> Result<u64> {
        let now = self.dialect().now_ms();
        let free = format!("{IN_USE} AND (expires_at < {now} OR (? = 1 AND owner <> ?))");
        // Mostly there are none: look without the writer first.
        let sql = format!("SELECT user_id FROM bots WHERE {free} ORDER BY expires_at LIMIT ?");
        let mut conn = self.reader().await?;
        let rows = conn.fetch(sql, args![even_held, owner, limit]).await?;
        drop(conn);
        let found = rows.iter().map(|row| row.int(0));
        let found = found.collect::<Result<Vec<UserId>>>()?;
        let mut taken = 0;
        for bots in self.dialect().lists(&found) {
            let sql = format!(
                "UPDATE bots SET owner = ?, epoch = epoch + 1, expires_at = {now} + ? WHERE {free} AND user_id IN ({})",
                list(bots.len())
            );
            let take = || {
                let mut values = args![owner, ttl_ms, even_held, owner];
                values.extend(bots.iter().cloned());
                self.execute(sql.clone(), values)
            };
            taken += self.retried(take).await?;
        }
        Ok(taken)
    }

    /// Keeps the caller's webhooks for another `ttl_ms`, once a third of that has passed; answers those that it still has, as
    /// they are now.
    pub async fn renew_webhooks(&self, owner: &str, ttl_ms: i64) -> Result<Vec<HeldWebhook>> {
        let now = self.dialect().now_ms();
        let mut conn = self.reader().await?;
        let sql = format!(
            "SELECT user_id, epoch, version, url, secret, expires_at < {now} + ? FROM bots \
             WHERE owner = ? AND {IN_USE} AND expires_at >= {now}"
        );
        let soon = ttl_ms / 3 * 2;
        let rows = conn.fetch(sql, args![soon, owner]).await?;
        drop(conn);
        let mut due = false;
        for row in &rows {
            due |= row.int(5)? != 0;
        }
        if due {
            let sql = format!(
                "UPDATE bots SET expires_at = {now} + ? WHERE owner = ? AND expires_at >= {now} AND expires_at < {now} + ?"
            );
            let renewed = || self.execute(sql.clone(), args![ttl_ms, owner, soon]);
            self.retried(renewed).await?;
        }
        rows.iter().map(held).collect()
    }

    /// Gives the caller's webhooks up, so that others need not wait for the leases to expire.
    pub async fn release_webhooks(&self, owner: &str) -> Result<()> {
        let sql = "UPDATE bots SET owner = '', expires_at = 0 WHERE owner = ?";
        self.retried(|| self.execute(sql, args![owner])).await?;
        Ok(())
    }
}
