//! Who has which share of the leases, for tests to look at.

use crate::Store;
use crate::error::Result;

/// How many leases somebody has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseCount {
    /// Whose they are; empty for those that nobody has.
    pub owner: String,
    /// How many.
    pub count: i64,
    /// How many of them have expired.
    pub expired: i64,
}

impl Store {
    /// Who has how many leases, by owner.
    pub async fn lease_counts(&self) -> Result<Vec<LeaseCount>> {
        let sql = format!(
            "SELECT owner, COUNT(*), COUNT(CASE WHEN expires_at < {} THEN 1 END) FROM partition_leases \
             GROUP BY owner ORDER BY owner",
            self.dialect().now_ms()
        );
        let rows = self.reader().await?.fetch(sql, vec![]).await?;
        rows.iter()
            .map(|row| {
                Ok(LeaseCount {
                    owner: row.text(0)?,
                    count: row.int(1)?,
                    expired: row.int(2)?,
                })
            })
            .collect()
    }
}
