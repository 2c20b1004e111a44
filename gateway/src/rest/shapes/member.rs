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
    /// Until when the member is muted; absent for those who are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    muted_until: Option<i64>,
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
            muted_until: m.muted_until,
        }
    }
}
