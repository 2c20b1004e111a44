//! Users as lists show them.

use lingxi_domain::UserId;
use serde::Serialize;

/// A user on a list: of the blocked, or of those who wait to be let into a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedUser {
    /// Who.
    pub id: UserId,
    /// The account's name.
    pub username: String,
    /// The name to show.
    pub nickname: String,
    /// The picture's address; may be empty.
    pub avatar: String,
    /// Since when, milliseconds since the Unix epoch.
    pub created_at: i64,
}

impl From<lingxi_store::ListedUser> for ListedUser {
    fn from(row: lingxi_store::ListedUser) -> Self {
        Self {
            id: row.user_id,
            username: row.username,
            nickname: row.nickname,
            avatar: row.avatar,
            created_at: row.created_at,
        }
    }
}
