//! Who owns a partition of the incoming messages, and how far it got: one row a partition, as Kinesis' client library
//! keeps them. Every batch begins with [`Tx::fence`], so that an owner whose lease has gone commits nothing.

use crate::error::{Error, Result};
use crate::sql::{Row, args, dialect};
use crate::{Store, Tx};

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

/// What a batch does to a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseProgress {
    /// The partition.
    pub partition: u16,
    /// The epoch that the caller holds.
    pub epoch: i64,
    /// Which log the position belongs to.
    pub stream_created: i64,
    /// Everything up to here is committed with this transaction.
    pub stream_pos: i64,
    /// Entries up to this id were pushed.
    pub pushed_id: i64,
    /// The highest id given out, with this transaction.
    pub last_id: i64,
}

const COLUMNS: &str = "partition_no, epoch, stream_created, stream_pos, pushed_id, last_id";

fn lease(row: &Row) -> Result<Lease> {
    Ok(Lease {
        partition: u16::try_from(row.int(0)?).map_err(|e| Error::Corrupt(e.to_string()))?,
        epoch: row.int(1)?,
        stream_created: row.int(2)?,
        stream_pos: row.int(3)?,
        pushed_id: row.int(4)?,
        last_id: row.int(5)?,
    })
}

impl Store {
    /// Makes the rows of `0..partitions` that do not exist yet, owned by nobody.
    pub async fn create_leases(&self, partitions: u16) -> Result<()> {
        let mut tx = self.begin().await?;
        for partition in 0..partitions {
            let sql = format!(
                "INSERT INTO partition_leases (owner, expires_at, {COLUMNS}) VALUES ('', 0, ?, 0, 0, 0, 0, 0){}",
                dialect::on_conflict_keep("partition_no")
            );
            tx.conn.execute(sql, args![partition]).await?;
        }
        tx.commit().await
    }

    /// Takes up to `limit` leases that have expired, raising their epochs; all of them, expired or not, when
    /// `even_held` says that the caller alone can be using this database.
    pub async fn take_leases(
        &self,
        owner: &str,
        ttl_ms: i64,
        limit: i64,
        even_held: bool,
    ) -> Result<Vec<Lease>> {
        let mut tx = self.begin().await?;
        let sql = format!(
            "SELECT partition_no FROM partition_leases WHERE (? = 1 OR expires_at < {}) AND owner <> ? \
             ORDER BY partition_no LIMIT ?{}",
            dialect::NOW_MS,
            dialect::FOR_UPDATE
        );
        let rows = tx.conn.fetch(sql, args![even_held, owner, limit]).await?;
        let mut taken = Vec::with_capacity(rows.len());
        for row in &rows {
            let partition = row.int(0)?;
            let sql = format!(
                "UPDATE partition_leases SET owner = ?, epoch = epoch + 1, expires_at = {} + ? WHERE partition_no = ?",
                dialect::NOW_MS
            );
            tx.conn
                .execute(sql, args![owner, ttl_ms, partition])
                .await?;
            let sql = format!("SELECT {COLUMNS} FROM partition_leases WHERE partition_no = ?");
            if let Some(row) = tx.conn.fetch_one(sql, args![partition]).await? {
                taken.push(lease(&row)?);
            }
        }
        tx.commit().await?;
        Ok(taken)
    }

    /// Keeps the caller's leases for another `ttl_ms`; answers the partitions and epochs that it still holds.
    pub async fn renew_leases(&self, owner: &str, ttl_ms: i64) -> Result<Vec<(u16, i64)>> {
        let mut tx = self.begin().await?;
        let sql = format!(
            "UPDATE partition_leases SET expires_at = {} + ? WHERE owner = ?",
            dialect::NOW_MS
        );
        tx.conn.execute(sql, args![ttl_ms, owner]).await?;
        tx.commit().await?;
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
        let mut tx = self.begin().await?;
        let sql = "UPDATE partition_leases SET owner = '', expires_at = 0 WHERE owner = ?";
        tx.conn.execute(sql, args![owner]).await?;
        tx.commit().await
    }
}

impl Tx {
    /// The first statement of every batch: records the batch's progress in each lease, or fails with
    /// [`Error::Fenced`] when the caller no longer holds one of them, in which case nothing may be written.
    pub async fn fence(&mut self, owner: &str, progress: &[LeaseProgress]) -> Result<()> {
        if progress.is_empty() {
            return Err(Error::Fenced);
        }
        let case = |column: &str| {
            let whens = " WHEN ? THEN ?".repeat(progress.len());
            format!("{column} = CASE partition_no{whens} ELSE {column} END")
        };
        let sql = format!(
            "UPDATE partition_leases SET {}, {}, {}, {} WHERE owner = ? AND ({})",
            case("stream_created"),
            case("stream_pos"),
            case("pushed_id"),
            case("last_id"),
            vec!["(partition_no = ? AND epoch = ?)"; progress.len()].join(" OR ")
        );
        let mut values = Vec::with_capacity(progress.len() * 10 + 1);
        let columns: [fn(&LeaseProgress) -> i64; 4] = [
            |p| p.stream_created,
            |p| p.stream_pos,
            |p| p.pushed_id,
            |p| p.last_id,
        ];
        for column in columns {
            for p in progress {
                values.extend(args![p.partition, column(p)]);
            }
        }
        values.extend(args![owner]);
        for p in progress {
            values.extend(args![p.partition, p.epoch]);
        }
        let held = self.conn.execute(sql, values).await?;
        if held == progress.len() as u64 {
            Ok(())
        } else {
            Err(Error::Fenced)
        }
    }
}
