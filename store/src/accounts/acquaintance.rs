//! Who knows whom: a contact, or a conversation that both are in.

use std::collections::HashSet;

use lingxi_domain::UserId;

use crate::Store;
use crate::error::Result;
use crate::sql::args;

impl Store {
    /// Those of `others` who are contacts of `user`, or in a conversation with them now.
    pub async fn acquaintances_among(
        &self,
        user: UserId,
        others: &[UserId],
    ) -> Result<HashSet<UserId>> {
        let mut conn = self.reader().await?;
        let sql = "SELECT contact_id FROM contacts WHERE user_id = ? AND contact_id IN (*)";
        let rows = conn.fetch_in(sql, args![user], others).await?;
        let mut known: HashSet<UserId> =
            rows.iter().map(|row| row.int(0)).collect::<Result<_>>()?;
        let others: Vec<UserId> = others
            .iter()
            .copied()
            .filter(|other| !known.contains(other))
            .collect();
        // A join of the two by their own indexes: neither reads the other members of the conversations.
        let sql = "SELECT DISTINCT o.user_id FROM members m JOIN members o ON o.conversation = m.conversation \
                   WHERE m.user_id = ? AND m.left_seq IS NULL AND o.left_seq IS NULL AND o.user_id IN (*)";
        for row in conn.fetch_in(sql, args![user], &others).await? {
            known.insert(row.int(0)?);
        }
        Ok(known)
    }
}
