//! Who is in a group: as it is at one version of its conversation, and what has changed since.

use lingxi_domain::{Seq, UserId};

use crate::error::Result;
use crate::sql::{Conn, args};
use crate::{Store, Tx};

/// A present member: the user, and until when they are muted (milliseconds since the Unix epoch).
pub type RosterMember = (UserId, i64);

/// The present members of a conversation at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    /// The conversation's key.
    pub conversation: String,
    /// The conversation's version at that moment.
    pub version: i64,
    /// Its last entry at that moment.
    pub last_seq: Seq,
    /// Lowest user id first.
    pub members: Vec<RosterMember>,
}

async fn rosters(conn: &mut Conn, conversations: &[&str]) -> Result<Vec<Roster>> {
    // One statement: versions and members are of one moment.
    let sql = "SELECT c.conversation, c.version, c.last_seq, m.user_id, m.muted_until FROM conversations c \
               LEFT JOIN members m ON m.conversation = c.conversation AND m.left_seq IS NULL \
               WHERE c.conversation IN (*) ORDER BY c.conversation, m.user_id";
    let mut found: Vec<Roster> = Vec::with_capacity(conversations.len());
    for row in conn.fetch_in(sql, vec![], conversations).await? {
        let conversation = row.text(0)?;
        if found.last().is_none_or(|r| r.conversation != conversation) {
            found.push(Roster {
                conversation,
                version: row.int(1)?,
                last_seq: row.int(2)?,
                members: Vec::new(),
            });
        }
        if let (Some(user), Some(roster)) = (row.opt_int(3)?, found.last_mut()) {
            roster.members.push((user, row.int(4)?));
        }
    }
    Ok(found)
}

impl Store {
    /// The rosters of these conversations; those that do not exist are left out. They may change at once: compare the
    /// version under the conversation's lock.
    pub async fn rosters(&self, conversations: &[&str]) -> Result<Vec<Roster>> {
        rosters(&mut self.reader().await?, conversations).await
    }
}

impl Tx {
    /// The rosters of these conversations, which this transaction has locked.
    pub async fn rosters(&mut self, conversations: &[&str]) -> Result<Vec<Roster>> {
        rosters(&mut self.conn, conversations).await
    }

    /// Whose membership, role or mute the entries with `after < seq <= upto` are about, once for each entry; at most `limit`.
    pub async fn membership_changes(
        &mut self,
        conversation: &str,
        (after, upto): (Seq, Seq),
        limit: i64,
    ) -> Result<Vec<UserId>> {
        let sql = "SELECT target FROM entries WHERE conversation = ? AND seq > ? AND seq <= ? AND kind BETWEEN 4 AND 8 \
                   ORDER BY seq LIMIT ?";
        let rows = self
            .conn
            .fetch(sql, args![conversation, after, upto, limit])
            .await?;
        rows.iter().map(|row| row.int(0)).collect()
    }

    /// Those of these users who are members of a conversation now.
    pub async fn present_among(
        &mut self,
        conversation: &str,
        users: &[UserId],
    ) -> Result<Vec<RosterMember>> {
        let sql = "SELECT user_id, muted_until FROM members \
                   WHERE conversation = ? AND left_seq IS NULL AND user_id IN (*)";
        let rows = self.conn.fetch_in(sql, args![conversation], users).await?;
        rows.iter()
            .map(|row| Ok((row.int(0)?, row.int(1)?)))
            .collect()
    }
}
