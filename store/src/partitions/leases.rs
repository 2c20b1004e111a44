//! Who owns a partition of the incoming messages, and how far it got: one row a partition, as Kinesis' client library
//! keeps them. Every batch begins with [`crate::Tx::fence`], so that an owner whose lease has gone commits nothing.

use std::time::Duration;

use tokio::time::Instant;

use crate::Store;
use crate::error::{Error, Result};
use crate::sql::{Database, Row, Value, args, list};

/// A partition as its owner found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The partition.
    pub partition: u16,
    /// Rises with every change of owner; the fence.
    pub epoch: i64,
    /// Which log `stream_pos` belongs to; 0 when none was read yet.
    pub stream_created: i64,
    /// Everything in that log up to here is committed.
    pub stream_pos: i64,
    /// Entries up to this id were pushed.
    pub pushed_id: i64,
    /// The highest id given out.
    pub last_id: i64,
}

const COLUMNS: &str = "partition_no, epoch, stream_created, stream_pos, pushed_id, last_id";

fn lease(row: &Row) -> Result<Lease> {
    Ok(Lease {
        partition: partition(row)?,
        epoch: row.int(1)?,
        stream_created: row.int(2)?,
        stream_pos: row.int(3)?,
        pushed_id: row.int(4)?,
        last_id: row.int(5)?,
    })
}

/// How long a taker tries again where rows are still locked by an owner whose connection was just ended.
const PATIENCE: Duration = Duration::from_millis(750);
const STEP: Duration = Duration::from_millis(20);

impl Store {
    /// Makes the rows of `0..partitions` that do not exist yet, owned by nobody.
    pub async fn create_leases(&self, partitions: u16) -> Result<()> {
        self.retried(|| self.create_leases_once(partitions)).await
    }

    async fn create_leases_once(&self, partitions: u16) -> Result<()> {
        let mut tx = self.begin().await?;
        for partition in 0..partitions {
            let sql = format!(
                "INSERT INTO partition_leases (owner, expires_at, {COLUMNS}) VALUES ('', 0, ?, 0, 0, 0, 0, 0){}",
                tx.dialect().on_conflict_keep("partition_no")
            );
            tx.conn.execute(sql, args![partition]).await?;
        }
        tx.commit().await
    }

    /// Takes up to `limit` leases that have expired or that nobody has, raising their epochs; all of them, expired or not,
    /// when `even_held` says that the caller alone can be using this database. By the database's clock.
    ///
    /// On a server, the former owners' connections ([`Store::committer`]) are ended first: one that was stopped inside a
    /// transaction is rolled back and waited for less than a second. A lease whose row is still locked then is left for
    /// the next call. An owner that was only slow loses its connection and finds out from its next fence.
    pub async fn take_leases(
        &self,
        owner: &str,
        ttl_ms: i64,
        limit: i64,
        even_held: bool,
    ) -> Result<Vec<Lease>> {
        let found = self.takeable(owner, limit, even_held).await?;
        if found.is_empty() {
            return Ok(Vec::new());
        }
        if let Database::MySql(server) = &self.db {
            let mut former: Vec<&str> = found.iter().map(|(_, owner)| owner.as_str()).collect();
            former.sort_unstable();
            former.dedup();
            for former in former.into_iter().filter(|former| !former.is_empty()) {
                if server.disconnect(former).await? {
                    tracing::warn!(
                        former,
                        "ended the connection of an owner whose lease has expired"
                    );
                }
            }
        }
        let deadline = Instant::now() + PATIENCE;
        let mut taken = Vec::new();
        loop {
            let left = limit - i64::try_from(taken.len()).unwrap_or(i64::MAX);
            let once = || self.take_leases_once(owner, ttl_ms, left, even_held);
            match self.retried(once).await {
                Ok(more) => taken.extend(more),
                Err(error) if taken.is_empty() => return Err(error),
                // What was taken is told, or nobody would serve it.
                Err(_) => return Ok(taken),
            }
            // What was found expired and is neither taken now nor by others meanwhile is locked.
            let locked = || self.takeable(owner, 1, even_held);
            if taken.len() >= found.len()
                || Instant::now() > deadline
                || locked().await.is_ok_and(|locked| locked.is_empty())
            {
                return Ok(taken);
            }
            tokio::time::sleep(STEP).await;
        }
    }

    /// Partitions that may be taken, and who has or had them.
    async fn takeable(
        &self,
        owner: &str,
        limit: i64,
        even_held: bool,
    ) -> Result<Vec<(u16, String)>> {
        let sql = format!(
            "SELECT partition_no, owner FROM partition_leases WHERE {} ORDER BY partition_no LIMIT ?",
            self.free()
        );
        let rows = self
            .reader()
            .await?
            .fetch(sql, args![even_held, owner, limit])
            .await?;
        rows.iter()
            .map(|row| Ok((partition(row)?, row.text(1)?)))
            .collect()
    }

    /// The condition of a lease that may be taken; whether even held ones may, and the caller.
    fn free(&self) -> String {
        format!(
            "(? = 1 OR expires_at < {}) AND owner <> ?",
            self.dialect().now_ms()
        )
    }

    async fn take_leases_once(
        &self,
        owner: &str,
        ttl_ms: i64,
        limit: i64,
        even_held: bool,
    ) -> Result<Vec<Lease>> {
        let mut tx = self.begin().await?;
        let sql = format!(
            "SELECT partition_no FROM partition_leases WHERE {} ORDER BY partition_no LIMIT ?{}",
            self.free(),
            tx.dialect().for_update_skip_locked()
        );
        let rows = tx.conn.fetch(sql, args![even_held, owner, limit]).await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let partitions = rows.iter().map(partition).collect::<Result<Vec<_>>>()?;
        let these = list(partitions.len());
        let mut values = args![owner, ttl_ms];
        values.extend(numbers(&partitions));
        let sql = format!(
            "UPDATE partition_leases SET owner = ?, epoch = epoch + 1, expires_at = {} + ? \
             WHERE partition_no IN ({these})",
            tx.dialect().now_ms()
        );
        tx.conn.execute(sql, values).await?;
        let sql = format!(
            "SELECT {COLUMNS} FROM partition_leases WHERE partition_no IN ({these}) ORDER BY partition_no"
        );
        let rows = tx.conn.fetch(sql, numbers(&partitions)).await?;
        let taken = rows.iter().map(lease).collect::<Result<Vec<_>>>()?;
        tx.commit().await?;
        Ok(taken)
    }

    /// Keeps the caller's leases for another `ttl_ms`; answers the partitions and epochs that it still holds. One
    /// statement that is committed when it returns: a caller that is stopped in it holds no lock.
    pub async fn renew_leases(&self, owner: &str, ttl_ms: i64) -> Result<Vec<(u16, i64)>> {
        let sql = format!(
            "UPDATE partition_leases SET expires_at = {} + ? WHERE owner = ?",
            self.dialect().now_ms()
        );
        let renewed = || self.execute(sql.clone(), args![ttl_ms, owner]);
        self.retried(renewed).await?;
        self.held_leases(owner).await
    }

    /// The partitions and epochs that the caller holds.
    pub async fn held_leases(&self, owner: &str) -> Result<Vec<(u16, i64)>> {
        let sql = format!("SELECT {COLUMNS} FROM partition_leases WHERE owner = ?");
        let rows = self.reader().await?.fetch(sql, args![owner]).await?;
        rows.iter()
            .map(|r| lease(r).map(|l| (l.partition, l.epoch)))
            .collect()
    }

    /// Gives the caller's leases up at once, so that others need not wait for them to expire.
    pub async fn release_leases(&self, owner: &str) -> Result<()> {
        let sql = "UPDATE partition_leases SET owner = '', expires_at = 0 WHERE owner = ?";
        self.retried(|| self.execute(sql, args![owner])).await?;
        Ok(())
    }

    /// Gives these of the caller's leases, by partition and epoch, up at once. Those that it no longer has stay as they
    /// are.
    pub async fn release_some_leases(&self, owner: &str, leases: &[(u16, i64)]) -> Result<()> {
        if leases.is_empty() {
            return Ok(());
        }
        let these = vec!["(partition_no = ? AND epoch = ?)"; leases.len()].join(" OR ");
        let sql = format!(
            "UPDATE partition_leases SET owner = '', expires_at = 0 WHERE owner = ? AND ({these})"
        );
        let released = || {
            let mut values = args![owner];
            for (partition, epoch) in leases {
                values.extend(args![*partition, *epoch]);
            }
            self.execute(sql.clone(), values)
        };
        self.retried(released).await?;
        Ok(())
    }
}

fn partition(row: &Row) -> Result<u16> {
    u16::try_from(row.int(0)?).map_err(|e| Error::Corrupt(e.to_string()))
}

fn numbers(partitions: &[u16]) -> Vec<Value<'_>> {
    partitions.iter().map(|&p| p.into()).collect()
}
