//! Groups.

use lingxi_domain::policies::{InvitePolicy, JoinPolicy};
use serde::Serialize;
use utoipa::ToSchema;

/// A group.
#[derive(Serialize, ToSchema)]
#[schema(as = Group)]
pub(crate) struct Group {
    id: i64,
    name: String,
    /// The owner's username.
    owner: String,
    announcement: String,
    max_count: i64,
    member_count: i64,
    /// The caller's role, `owner`, `admin` or `member`; absent when the caller is not in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    /// How one joins: `open`, `approval` (the owner or an administrator lets one in) or `invite`.
    #[schema(value_type = String, example = "open")]
    join_policy: JoinPolicy,
    /// Who invites: `members` or `admins`.
    #[schema(value_type = String, example = "members")]
    invite_policy: InvitePolicy,
    /// The conversation's key.
    #[schema(example = "g:42")]
    conversation: String,
    created_at: i64,
}

impl From<lingxi_im::Group> for Group {
    fn from(g: lingxi_im::Group) -> Self {
        Self {
            id: g.id,
            name: g.name,
            owner: g.owner,
            announcement: g.announcement,
            max_count: g.max_count,
            member_count: g.member_count,
            role: g.role,
            join_policy: g.join_policy,
            invite_policy: g.invite_policy,
            conversation: g.conversation,
            created_at: g.created_at,
        }
    }
}

/// A page of groups.
#[derive(Serialize, ToSchema)]
#[schema(as = Groups)]
pub(crate) struct Groups {
    groups: Vec<Group>,
    /// Whether there are more after the last one.
    has_more: bool,
}

impl Groups {
    pub(crate) fn page(found: Vec<lingxi_im::Group>, has_more: bool) -> Self {
        Self {
            groups: found.into_iter().map(Group::from).collect(),
            has_more,
        }
    }
}
