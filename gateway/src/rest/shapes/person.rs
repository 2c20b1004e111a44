//! People in lists, with when they came onto it.

use serde::Serialize;
use utoipa::ToSchema;

/// Somebody on a list, and since when.
#[derive(Serialize, ToSchema)]
#[schema(as = ListedUser)]
pub(crate) struct Person {
    id: i64,
    username: String,
    nickname: String,
    avatar: String,
    created_at: i64,
}

impl From<lingxi_im::ListedUser> for Person {
    fn from(p: lingxi_im::ListedUser) -> Self {
        Self {
            id: p.id,
            username: p.username,
            nickname: p.nickname,
            avatar: p.avatar,
            created_at: p.created_at,
        }
    }
}
