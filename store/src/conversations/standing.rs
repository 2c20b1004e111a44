//! What a list of conversations shows beside their heads.

use std::collections::HashMap;

use lingxi_domain::detail::EVERYBODY;
use lingxi_domain::{Seq, UserId};

use super::heads::UNREAD_WINDOW;
use crate::Store;
use crate::error::Result;
use crate::sql::args;

/// How a user stands in a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Messages of others behind the user's read cursor that mention them.
    pub mentions: i64,
    /// Until when the user wants no notifications of it, milliseconds since the Unix epoch.
    pub quiet_until: i64,
    /// How far the other side of a private conversation has read it; of a talk with oneself, how far oneself has.
    pub peer_read_seq: Option<Seq>,
}

impl Store {
    /// How a user stands in these conversations; those that the user never was in are left out.
    pub async fn standings(
        &self,
        user: UserId,
        conversations: &[&str],
    ) -> Result<HashMap<String, Standing>> {
        if conversations.is_empty() {
            return Ok(HashMap::new());
        }
        let mentions = |of: &str| {
            format!(
                "(SELECT COUNT(*) FROM mentions x WHERE x.conversation = m.conversation AND x.user_id = {of} \
                 AND x.seq > m.read_seq AND x.seq >= m.joined_seq AND x.seq <= m.read_seq + {UNREAD_WINDOW} \
                 AND x.sender_id <> m.user_id)"
            )
        };
        let sql = format!(
            "SELECT m.conversation, m.quiet_until, \
             CASE WHEN m.conversation < 'e' THEN COALESCE(p.read_seq, m.read_seq) END, {} + {} \
             FROM members m LEFT JOIN members p \
               ON p.conversation = m.conversation AND p.user_id <> m.user_id AND m.conversation < 'e' \
             WHERE m.user_id = ? AND m.conversation IN (*)",
            mentions("m.user_id"),
            mentions(&EVERYBODY.to_string())
        );
        let mut conn = self.reader().await?;
        let rows = conn.fetch_in(&sql, args![user], conversations).await?;
        rows.iter()
            .map(|row| {
                let standing = Standing {
                    quiet_until: row.int(1)?,
                    peer_read_seq: row.opt_int(2)?,
                    mentions: row.int(3)?,
                };
                Ok((row.text(0)?, standing))
            })
            .collect()
    }
}
