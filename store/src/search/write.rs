//! Adding to the index.

use std::collections::HashMap;

use lingxi_domain::Seq;

use super::block::{ALL, Posting, pack, unpack};
use super::segments::{Plan, Sizes, bucket};
use crate::error::Result;
use crate::sql::{Value, args, placeholders};
use crate::{Store, Tx};

/// A stretch of a conversation's log that goes into the index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexPart<'a> {
    /// The conversation's key.
    pub conversation: &'a str,
    /// Everything up to here is in the index.
    pub after: Seq,
    /// Afterwards everything up to here is.
    pub upto: Seq,
    /// The keys of the messages in between, and of those that were edited there; in any order.
    pub postings: Vec<(u32, Seq)>,
}

/// What a transaction is to write.
#[derive(Default)]
struct Changes<'a> {
    states: Vec<(&'a str, Seq, Sizes)>,
    blocks: Vec<(&'a str, i64, i64, Vec<u8>)>,
}

impl Store {
    /// Adds these stretches, each of another conversation, in one transaction. One whose conversation is not indexed up to
    /// just there is left out: somebody else has added it.
    ///
    /// # Errors
    /// When the database fails; nothing is added then.
    pub async fn index(&self, parts: &[IndexPart<'_>]) -> Result<()> {
        self.retried(|| self.index_once(parts)).await
    }

    /// Throws a conversation's index away: it is made anew.
    pub async fn forget_index(&self, conversation: &str) -> Result<()> {
        self.retried(async || {
            let mut tx = self.begin().await?;
            tx.lock_states(&[conversation]).await?;
            for table in ["search_blocks", "search_states"] {
                let sql = format!("DELETE FROM {table} WHERE conversation = ?");
                tx.conn.execute(sql, args![conversation]).await?;
            }
            tx.commit().await
        })
        .await
    }

    async fn index_once(&self, parts: &[IndexPart<'_>]) -> Result<()> {
        let mut keys: Vec<&str> = parts.iter().map(|part| part.conversation).collect();
        keys.sort_unstable();
        let mut tx = self.begin().await?;
        let states = tx.lock_states(&keys).await?;
        let mut changes = Changes::default();
        let mut small = Vec::new();
        for part in parts {
            let Some(&(indexed, sizes)) = states.get(part.conversation) else {
                continue;
            };
            if indexed != part.after {
                continue;
            }
            let plan = sizes.plan(part.postings.len() as i64);
            if plan.kind == 0 {
                small.push((part, sizes, plan));
            } else {
                tx.merge(part, (sizes, plan), &mut changes).await?;
            }
        }
        tx.merge_small(&small, &mut changes).await?;
        tx.put_blocks(&changes.blocks).await?;
        tx.put_states(&changes.states).await?;
        tx.commit().await
    }
}

impl Tx {
    /// Those that only touch the smallest segment, all with one query.
    async fn merge_small<'a>(
        &mut self,
        small: &[(&IndexPart<'a>, Sizes, Plan)],
        changes: &mut Changes<'a>,
    ) -> Result<()> {
        let begun = small.iter().filter(|(_, sizes, _)| sizes.of[0] > 0);
        let begun: Vec<&str> = begun.map(|(part, ..)| part.conversation).collect();
        let sql = "SELECT conversation, block FROM search_blocks WHERE segment = 0 AND bucket = 0 AND conversation IN (*)";
        let rows = self.conn.fetch_in(sql, vec![], &begun).await?;
        let mut blocks = HashMap::with_capacity(rows.len());
        for row in rows {
            blocks.insert(row.text(0)?, row.bytes(1)?);
        }
        for (part, sizes, plan) in small {
            let mut postings = part.postings.clone();
            if let Some(block) = blocks.get(part.conversation) {
                unpack(block, ALL, &mut postings)?;
            }
            changes.merged(part, (*sizes, *plan), postings);
        }
        Ok(())
    }

    /// Reads what the new postings are merged with, and takes the smaller segments away.
    async fn merge<'a>(
        &mut self,
        part: &IndexPart<'a>,
        (sizes, plan): (Sizes, Plan),
        changes: &mut Changes<'a>,
    ) -> Result<()> {
        let mut postings = part.postings.clone();
        let merged = (0..=plan.kind).filter(|&kind| kind < plan.kind || !plan.anew);
        let merged: Vec<i64> = merged.map(|kind| sizes.segment(kind)).collect();
        let sql = "SELECT block FROM search_blocks WHERE conversation = ? AND segment IN (*)";
        let rows = self
            .conn
            .fetch_in(sql, args![part.conversation], &merged)
            .await?;
        for row in rows {
            unpack(&row.bytes(0)?, ALL, &mut postings)?;
        }
        let sql = "DELETE FROM search_blocks WHERE conversation = ? AND segment < ?";
        let smaller = plan.kind as i64;
        self.conn
            .execute(sql, args![part.conversation, smaller])
            .await?;
        changes.merged(part, (sizes, plan), postings);
        Ok(())
    }

    async fn put_blocks(&mut self, blocks: &[(&str, i64, i64, Vec<u8>)]) -> Result<()> {
        for piece in self.dialect().chunks(blocks) {
            let sql = format!(
                "INSERT INTO search_blocks (conversation, segment, bucket, block) VALUES {}{}",
                placeholders(piece.len(), 4),
                self.dialect()
                    .on_conflict_overwrite("conversation, segment, bucket", &["block"])
            );
            let mut values: Vec<Value<'_>> = Vec::with_capacity(piece.len() * 4);
            for (conversation, segment, bucket, block) in piece {
                values.extend(args![*conversation, *segment, *bucket, block.as_slice()]);
            }
            self.conn.execute(sql, values).await?;
        }
        Ok(())
    }
}

impl<'a> Changes<'a> {
    /// These are all postings of the segment that the plan names.
    fn merged(
        &mut self,
        part: &IndexPart<'a>,
        (sizes, plan): (Sizes, Plan),
        mut postings: Vec<Posting>,
    ) {
        postings.sort_unstable();
        postings.dedup();
        let sizes = sizes.after(plan, postings.len() as i64);
        let segment = sizes.segment(plan.kind);
        let place = |posting: &Posting| bucket(posting.0, plan.kind);
        for of_bucket in postings.chunk_by(|one, other| place(one) == place(other)) {
            let row = (
                part.conversation,
                segment,
                place(&of_bucket[0]),
                pack(of_bucket),
            );
            self.blocks.push(row);
        }
        self.states.push((part.conversation, part.upto, sizes));
    }
}
