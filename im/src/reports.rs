//! What users have reported, for operators.

use lingxi_domain::limits;
use lingxi_store::Report;

use crate::{Inner, Listed, Result};

/// Reports. Made by [`crate::Im::reports`].
#[derive(Clone, Copy)]
pub struct Reports<'a> {
    pub(crate) im: &'a Inner,
}

impl Reports<'_> {
    /// Reports of this state, or of any, the newest first, behind the one with the number `before`. And how many there are.
    pub async fn page(
        &self,
        state: Option<&str>,
        before: Option<i64>,
        limit: Option<i64>,
    ) -> Result<(Listed<Report>, i64)> {
        let rows = limit
            .unwrap_or(limits::DEFAULT_PAGE)
            .clamp(1, limits::MAX_PAGE);
        let before = before.unwrap_or(i64::MAX);
        let (found, total) = self.im.store.reports(state, before, rows + 1).await?;
        Ok((Listed::fitting(found, rows), total))
    }
}
