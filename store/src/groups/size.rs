//! How large a group is.

use lingxi_domain::UserId;

use crate::error::Result;
use crate::sql::args;
use crate::{Store, Tx};

impl Store {
    /// The version of a conversation and how many members it has, `None` where there is no such conversation. As long as
    /// the version stands, so does the number.
    pub async fn group_size(&self, conversation: &str) -> Result<Option<(i64, i64)>> {
        let mut conn = self.reader().await?;
        // The version first: a change in between makes it old, and the number is not believed.
        let sql = "SELECT version FROM conversations WHERE conversation = ?";
        let Some(row) = conn.fetch_one(sql, args![conversation]).await? else {
            return Ok(None);
        };
        let version = row.int(0)?;
        let sql = "SELECT COUNT(*) FROM members WHERE conversation = ? AND left_seq IS NULL";
        let row = conn.fetch_one(sql, args![conversation]).await?;
        let members = row.map_or(Ok(0), |row| row.int(0))?;
        Ok(Some((version, members)))
    }

    /// The ids of a conversation's present members, or `None` where there are more than `most`.
    pub async fn few_members(
        &self,
        conversation: &str,
        most: usize,
    ) -> Result<Option<Vec<UserId>>> {
        let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
        let sql = "SELECT user_id FROM members WHERE conversation = ? AND left_seq IS NULL LIMIT ?";
        let mut conn = self.reader().await?;
        let rows = conn.fetch(sql, args![conversation, limit]).await?;
        if rows.len() > most {
            return Ok(None);
        }
        rows.iter()
            .map(|row| row.int(0))
            .collect::<Result<_>>()
            .map(Some)
    }
}

impl Tx {
    /// How many members a conversation has now.
    pub async fn count_present_members(&mut self, conversation: &str) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM members WHERE conversation = ? AND left_seq IS NULL";
        let row = self.conn.fetch_one(sql, args![conversation]).await?;
        row.map_or(Ok(0), |row| row.int(0))
    }
}
