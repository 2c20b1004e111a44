//! The gateways that are alive, and where workers reach them. Workers send events, and show the cluster token, to these
//! alone.

use crate::Store;
use crate::error::Result;
use crate::sql::args;

/// How long a gateway's row outlives its expiry, in milliseconds.
const KEPT_MS: i64 = 60_000;

impl Store {
    /// Says that a gateway is alive for another `ttl_ms`, by the database's clock, and where its gRPC port is (host:port).
    /// Rows that expired long ago are removed.
    pub async fn announce_gateway(&self, node: &str, address: &str, ttl_ms: i64) -> Result<()> {
        let (now, dialect) = (self.dialect().now_ms(), self.dialect());
        let sql = format!(
            "INSERT INTO gateways (node, address, expires_at) VALUES (?, ?, {now} + ?){}",
            dialect.on_conflict_overwrite("node", &["address", "expires_at"])
        );
        let announced = || self.execute(sql.clone(), args![node, address, ttl_ms]);
        self.retried(announced).await?;
        let sql = format!("SELECT 1 FROM gateways WHERE expires_at < {now} - ? LIMIT 1");
        let dead = self.reader().await?.fetch_one(sql, args![KEPT_MS]).await?;
        if dead.is_some() {
            let sql = format!("DELETE FROM gateways WHERE expires_at < {now} - ?");
            let removed = || self.execute(sql.clone(), args![KEPT_MS]);
            self.retried(removed).await?;
        }
        Ok(())
    }

    /// Where a gateway that is alive is reached, as host:port.
    pub async fn gateway_address(&self, node: &str) -> Result<Option<String>> {
        let now = self.dialect().now_ms();
        let sql = format!("SELECT address FROM gateways WHERE node = ? AND expires_at >= {now}");
        let row = self.reader().await?.fetch_one(sql, args![node]).await?;
        row.map(|row| row.text(0)).transpose()
    }

    /// Says that a gateway stops.
    pub async fn leave_gateway(&self, node: &str) -> Result<()> {
        let left = || self.execute("DELETE FROM gateways WHERE node = ?", args![node]);
        self.retried(left).await?;
        Ok(())
    }
}
