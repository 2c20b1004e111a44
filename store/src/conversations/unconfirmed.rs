//! Which conversations have entries that a user's client has not confirmed.

use lingxi_domain::{Seq, UserId};

use crate::Store;
use crate::error::Result;
use crate::sql::args;

/// One conversation of one user that has entries which the user's client has not confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserHead {
    /// Whose.
    pub user_id: UserId,
    /// The conversation's key.
    pub conversation: String,
    /// The delivered cursor.
    pub delivered_seq: Seq,
    /// The last entry that the user may see.
    pub last_seq: Seq,
    /// Whether that is the entry of their leaving.
    pub left: bool,
}

/// What many users have not confirmed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unconfirmed {
    /// Of all but those in `alone`.
    pub heads: Vec<UserHead>,
    /// Those with so many conversations that they are not looked at with others, who would wait for them: see
    /// [`Store::unconfirmed_page`].
    pub alone: Vec<UserId>,
}

/// Conversations, present and former, up to which a user is looked at together with others, and of one page.
const TOGETHER: usize = 1_000;

impl Store {
    /// For each of these users, the conversations with entries that their clients have not confirmed, those of the oldest
    /// news first. What it reads is bounded for each user.
    pub async fn unconfirmed(&self, users: &[UserId]) -> Result<Unconfirmed> {
        if users.is_empty() {
            return Ok(Unconfirmed::default());
        }
        let mut conn = self.reader().await?;
        let sql = format!(
            "SELECT u.id FROM users u WHERE u.id IN (*) AND \
             (SELECT m.conversation FROM members m WHERE m.user_id = u.id ORDER BY m.conversation LIMIT 1 OFFSET {TOGETHER}) \
             IS NOT NULL"
        );
        let rows = conn.fetch_in(&sql, vec![], users).await?;
        let mut alone = rows.iter().map(|r| r.int(0)).collect::<Result<Vec<_>>>()?;
        alone.sort_unstable();
        alone.dedup();
        let together: Vec<UserId> = users
            .iter()
            .copied()
            .filter(|user| alone.binary_search(user).is_err())
            .collect();
        let sql = "SELECT m.user_id, m.conversation, m.delivered_seq, COALESCE(m.left_seq, c.last_seq), m.left_seq \
                   FROM members m JOIN conversations c ON c.conversation = m.conversation \
                   WHERE m.user_id IN (*) AND m.delivered_seq < COALESCE(m.left_seq, c.last_seq) \
                   ORDER BY m.user_id, c.last_time";
        let rows = conn.fetch_in(sql, vec![], &together).await?;
        let heads = rows.iter().map(|row| {
            Ok(UserHead {
                user_id: row.int(0)?,
                conversation: row.text(1)?,
                delivered_seq: row.int(2)?,
                last_seq: row.int(3)?,
                left: row.opt_int(4)?.is_some(),
            })
        });
        Ok(Unconfirmed {
            heads: heads.collect::<Result<_>>()?,
            alone,
        })
    }

    /// Looks at the next thousand conversations of one user, in the order of their keys, behind `after`; answers those
    /// with entries that were not confirmed, and where to go on, or `None` at the end.
    pub async fn unconfirmed_page(
        &self,
        user: UserId,
        after: Option<&str>,
    ) -> Result<(Vec<UserHead>, Option<String>)> {
        let sql = "SELECT p.conversation, p.delivered_seq, COALESCE(p.left_seq, c.last_seq), p.left_seq FROM \
                   (SELECT conversation, delivered_seq, left_seq FROM members \
                    WHERE user_id = ? AND conversation > ? ORDER BY conversation LIMIT ?) p \
                   JOIN conversations c ON c.conversation = p.conversation ORDER BY p.conversation";
        let values = args![user, after.unwrap_or_default(), TOGETHER];
        let rows = self.reader().await?.fetch(sql, values).await?;
        let mut heads = Vec::new();
        for row in &rows {
            let head = UserHead {
                user_id: user,
                conversation: row.text(0)?,
                delivered_seq: row.int(1)?,
                last_seq: row.int(2)?,
                left: row.opt_int(3)?.is_some(),
            };
            if head.delivered_seq < head.last_seq {
                heads.push(head);
            }
        }
        let next = match rows.last() {
            Some(last) if rows.len() >= TOGETHER => Some(last.text(0)?),
            _ => None,
        };
        Ok((heads, next))
    }

    /// As [`Self::unconfirmed`], those with very many conversations included, of each at most a thousand heads: whoever
    /// confirms them gets the others next time. Others wait for them; prefer [`Self::unconfirmed`].
    pub async fn unconfirmed_heads(&self, users: &[UserId]) -> Result<Vec<UserHead>> {
        let Unconfirmed { mut heads, alone } = self.unconfirmed(users).await?;
        for user in alone {
            let (mut found, mut after) = (0, None);
            while found < TOGETHER {
                let (page, next) = self.unconfirmed_page(user, after.as_deref()).await?;
                found += page.len();
                heads.extend(page);
                after = next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(heads)
    }
}
