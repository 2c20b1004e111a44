//! Who was removed from a group by others.

use crate::conversations::EntryKind;
use crate::error::Result;
use crate::sql::args;
use crate::{Member, Tx};

impl Tx {
    /// Returns true if this membership was ended by others: the log's entry of its end says so.
    pub async fn was_kicked(&mut self, member: &Member) -> Result<bool> {
        let Some(left) = member.left_seq else {
            return Ok(false);
        };
        let sql =
            "SELECT 1 FROM entries WHERE conversation = ? AND seq = ? AND kind = ? AND target = ?";
        let values = args![
            member.conversation.as_str(),
            left,
            EntryKind::Kicked.to_db(),
            member.user_id
        ];
        Ok(self.conn.fetch_one(sql, values).await?.is_some())
    }
}
