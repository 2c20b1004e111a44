//! The accounts of bots.

use lingxi_domain::UserId;

use crate::Store;
use crate::accounts::{NewUser, insert_user};
use crate::error::Result;
use crate::sql::{Row, args};

/// A bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bot {
    /// Its account.
    pub id: UserId,
    /// Its name.
    pub username: String,
    /// The name to show.
    pub nickname: String,
    /// When it was made, milliseconds since the Unix epoch.
    pub created_at: i64,
    /// Where it wants to be told of messages.
    pub webhook: Option<BotWebhook>,
}

/// A webhook as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotWebhook {
    /// Its address.
    pub url: String,
    /// When its server said that it wants no more, milliseconds since the Unix epoch.
    pub disabled_at: Option<i64>,
    /// Deliveries that wait for another attempt.
    pub queued: i64,
    /// Deliveries that were given up, as far as they are kept.
    pub dead: i64,
}

const OF_STATE: &str =
    "(SELECT COUNT(*) FROM webhook_deliveries d WHERE d.bot_id = b.user_id AND d.state = ";

fn bot(row: &Row) -> Result<Bot> {
    let webhook = match row.opt_text(4)? {
        None => None,
        Some(url) => Some(BotWebhook {
            url,
            disabled_at: row.opt_int(5)?,
            queued: row.int(6)?,
            dead: row.int(7)?,
        }),
    };
    Ok(Bot {
        id: row.int(0)?,
        username: row.text(1)?,
        nickname: row.text(2)?,
        created_at: row.int(3)?,
        webhook,
    })
}

impl Store {
    /// Makes the account of a bot; answers its id, or `None` where there are `most` bots already.
    ///
    /// # Errors
    /// As [`Store::create_user`].
    pub async fn create_bot(&self, new: &NewUser<'_>, most: i64) -> Result<Option<UserId>> {
        self.retried(|| self.create_bot_once(new, most)).await
    }

    async fn create_bot_once(&self, new: &NewUser<'_>, most: i64) -> Result<Option<UserId>> {
        let mut conn = self.db.begin().await?;
        let row = conn.fetch_one("SELECT COUNT(*) FROM bots", args![]).await?;
        if row.map_or(Ok(0), |row| row.int(0))? >= most {
            return Ok(None);
        }
        let id = insert_user(&mut conn, new).await?;
        let sql = "INSERT INTO bots (user_id, created_at) VALUES (?, ?)";
        conn.execute(sql, args![id, new.created_at]).await?;
        conn.commit().await?;
        Ok(Some(id))
    }

    /// The bots with ids above `after`, lowest first, at most `limit`; deleted accounts are left out.
    pub async fn bots(&self, after: UserId, limit: usize) -> Result<Vec<Bot>> {
        let sql = format!(
            "SELECT b.user_id, u.username, u.nickname, u.created_at, b.url, b.disabled_at, \
             {OF_STATE} 'queued'), {OF_STATE} 'dead') \
             FROM bots b JOIN users u ON u.id = b.user_id \
             WHERE b.user_id > ? AND u.deleted_at IS NULL ORDER BY b.user_id LIMIT ?"
        );
        let rows = self.reader().await?.fetch(sql, args![after, limit]).await?;
        rows.iter().map(bot).collect()
    }

    /// How many bots there are, deleted accounts left out.
    pub async fn count_bots(&self) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM bots b JOIN users u ON u.id = b.user_id WHERE u.deleted_at IS NULL";
        let row = self.reader().await?.fetch_one(sql, args![]).await?;
        row.map_or(Ok(0), |row| row.int(0))
    }
}
