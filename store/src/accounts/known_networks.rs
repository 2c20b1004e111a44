//! From where users have logged in.

use lingxi_domain::UserId;

use crate::Store;
use crate::error::Result;
use crate::sql::args;

impl Store {
    /// When this user was last remembered to have logged in from that network, milliseconds since the Unix epoch.
    pub async fn known_network(&self, user: UserId, network: &str) -> Result<Option<i64>> {
        let sql = "SELECT seen_at FROM known_networks WHERE user_id = ? AND network = ?";
        let mut conn = self.reader().await?;
        let row = conn.fetch_one(sql, args![user, network]).await?;
        row.map(|row| row.int(0)).transpose()
    }

    /// The user has logged in from that network at `now`. Of the others the `keep - 1` seen last stay, those last seen
    /// before `expired` go.
    pub async fn remember_network(
        &self,
        user: UserId,
        network: &str,
        (now, expired): (i64, i64),
        keep: usize,
    ) -> Result<()> {
        self.retried(|| self.remember_network_once(user, network, (now, expired), keep))
            .await
    }

    async fn remember_network_once(
        &self,
        user: UserId,
        network: &str,
        (now, expired): (i64, i64),
        keep: usize,
    ) -> Result<()> {
        let mut tx = self.begin().await?;
        let overwrite = tx
            .dialect()
            .on_conflict_overwrite("user_id, network", &["seen_at"]);
        let sql = format!(
            "INSERT INTO known_networks (user_id, network, seen_at) VALUES (?, ?, ?){overwrite}"
        );
        tx.conn.execute(sql, args![user, network, now]).await?;
        let sql = "SELECT network, seen_at FROM known_networks WHERE user_id = ? \
                   ORDER BY seen_at DESC, network";
        let rows = tx.conn.fetch(sql, args![user]).await?;
        let mut kept = 1;
        for row in rows {
            let (other, seen_at) = (row.text(0)?, row.int(1)?);
            if other == network {
                continue;
            }
            if kept < keep && seen_at >= expired {
                kept += 1;
                continue;
            }
            let sql = "DELETE FROM known_networks WHERE user_id = ? AND network = ?";
            tx.conn.execute(sql, args![user, other]).await?;
        }
        tx.commit().await
    }
}
