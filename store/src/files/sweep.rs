//! Files that nobody needs any more.

use lingxi_domain::FileId;

use super::file::{COMING, GOING, KEPT};
use crate::Store;
use crate::error::Result;
use crate::sql::args;

/// A file that this caller, and no other, removes: what is kept of it, then [`Store::forget_file`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// Its id.
    pub id: FileId,
    /// Under which it is kept.
    pub blob_key: String,
}

impl Store {
    /// Claims files that no message has had since `unused_before`, and those whose upload or removal was given up before
    /// `given_up_before` (both milliseconds since the Unix epoch); at most `limit`, the longest unused first. Of several
    /// callers each gets others. When there are `limit` there may be more.
    pub async fn claim_unused_files(
        &self,
        (unused_before, given_up_before): (i64, i64),
        limit: i64,
    ) -> Result<Vec<Claimed>> {
        let sql = "SELECT id, blob_key, state, unused_since FROM files WHERE unused_since < ? \
                   AND unused_since < CASE WHEN state = ? THEN ? ELSE ? END ORDER BY unused_since LIMIT ?";
        // For the index: no row of either kind is behind it.
        let bound = unused_before.max(given_up_before);
        let values = args![bound, KEPT, unused_before, given_up_before, limit];
        // Mostly there are none: look without the writer.
        let rows = self.reader().await?.fetch(sql, values).await?;
        let mut claimed = Vec::with_capacity(rows.len());
        for row in rows {
            let (id, state, since) = (row.int(0)?, row.int(2)?, row.int(3)?);
            if self.claim_file((id, state, since)).await? {
                let blob_key = row.text(1)?;
                claimed.push(Claimed { id, blob_key });
            }
        }
        Ok(claimed)
    }

    /// Whoever comes second finds it changed.
    async fn claim_file(&self, (id, state, since): (FileId, i64, i64)) -> Result<bool> {
        debug_assert!([COMING, KEPT, GOING].contains(&state));
        let now = lingxi_domain::now_ms();
        let sql = "UPDATE files SET state = ?, unused_since = ? WHERE id = ? AND state = ? AND unused_since = ? \
                   AND NOT EXISTS (SELECT 1 FROM file_uses WHERE file_id = ?)";
        let values = args![GOING, now, id, state, since, id];
        Ok(self.execute(sql, values).await? == 1)
    }
}
