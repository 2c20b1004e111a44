//! Members of groups.

use lingxi_im::GroupMember;
use serde::Serialize;
use utoipa::ToSchema;

/// A member of a group.
#[derive(Serialize, ToSchema)]
#[schema(as = GroupMember)]
pub(crate) struct Member {
    id: i64,
    username: String,
    nickname: String,
    avatar: String,
    /// `owner`, `admin` or `member`.
    role: &'static str,
    joined_at: i64,
}

impl From<GroupMember> for Member {
    fn from(m: GroupMember) -> Self {
        Self {
            id: m.id,
            username: m.username,
            nickname: m.nickname,
            avatar: m.avatar,
            role: m.role,
            joined_at: m.joined_at,
        }
    }
}
