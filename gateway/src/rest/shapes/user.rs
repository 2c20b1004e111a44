//! Accounts.

use lingxi_im::Profile;
use serde::Serialize;
use utoipa::ToSchema;

/// One's own account.
#[derive(Serialize, ToSchema)]
#[schema(as = Me)]
pub(crate) struct Me {
    id: i64,
    username: String,
    nickname: String,
    avatar: String,
    signature: String,
    /// `user`, `admin` or `bot`.
    role: String,
    created_at: i64,
}

impl From<Profile> for Me {
    fn from(p: Profile) -> Self {
        Self {
            id: p.id,
            username: p.username,
            nickname: p.nickname,
            avatar: p.avatar,
            signature: p.signature,
            role: p.role,
            created_at: p.created_at,
        }
    }
}

/// An account as others see it.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct User {
    id: i64,
    username: String,
    nickname: String,
    avatar: String,
    signature: String,
}

impl From<Profile> for User {
    fn from(p: Profile) -> Self {
        Self {
            id: p.id,
            username: p.username,
            nickname: p.nickname,
            avatar: p.avatar,
            signature: p.signature,
        }
    }
}
