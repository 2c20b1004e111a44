//! The fence before every batch: what an owner writes holds only as long as its leases do.

use crate::Tx;
use crate::error::{Error, Result};
use crate::sql::{Column, args};

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

impl Tx {
    /// The first statement of every batch: records the batch's progress in each lease, or fails with
    /// [`Error::Fenced`] when the caller no longer holds one of them, in which case nothing may be written.
    pub async fn fence(&mut self, owner: &str, progress: &[LeaseProgress]) -> Result<()> {
        if progress.is_empty() {
            return Err(Error::Fenced);
        }
        // In key order, as every transaction locks rows.
        let mut ordered: Vec<&LeaseProgress> = progress.iter().collect();
        ordered.sort_unstable_by_key(|p| p.partition);
        let mut cells = Vec::with_capacity(ordered.len() * 6);
        for p in ordered {
            cells.extend(args![
                p.partition,
                p.epoch,
                p.stream_created,
                p.stream_pos,
                p.pushed_id,
                p.last_id
            ]);
        }
        let (sql, mut values) = self.dialect().update_from_values(
            "partition_leases",
            &[
                Column::Int("partition_no"),
                Column::Int("epoch"),
                Column::Int("stream_created"),
                Column::Int("stream_pos"),
                Column::Int("pushed_id"),
                Column::Int("last_id"),
            ],
            cells,
            (
                "partition_leases.partition_no = v.partition_no",
                "partition_leases.epoch = v.epoch AND partition_leases.owner = ?",
            ),
            &[
                ("stream_created", "v.stream_created"),
                ("stream_pos", "v.stream_pos"),
                ("pushed_id", "v.pushed_id"),
                ("last_id", "v.last_id"),
            ],
        );
        values.extend(args![owner]);
        let held = self.conn.execute(sql, values).await?;
        if held == progress.len() as u64 {
            Ok(())
        } else {
            Err(Error::Fenced)
        }
    }
}
