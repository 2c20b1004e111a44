//! Users on a list, with when they came onto it.

use lingxi_domain::UserId;

use crate::error::Result;
use crate::sql::Row;

/// A user on a list: of the blocked, or of those who wait to be let into a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedUser {
    /// Who.
    pub user_id: UserId,
    /// The account's name.
    pub username: String,
    /// The name to show.
    pub nickname: String,
    /// The picture's address; may be empty.
    pub avatar: String,
    /// Since when, milliseconds since the Unix epoch.
    pub created_at: i64,
}

/// `u.id, u.username, u.nickname, u.avatar` of an account, and since when it is on the list.
pub(crate) fn listed_user(row: &Row) -> Result<ListedUser> {
    Ok(ListedUser {
        user_id: row.int(0)?,
        username: row.text(1)?,
        nickname: row.text(2)?,
        avatar: row.text(3)?,
        created_at: row.int(4)?,
    })
}
