//! What changed about a group or a member.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::policies::{InvitePolicy, JoinPolicy};

/// What a `group_updated` changed, as it is now; what stayed is left out. The store keeps it with the entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Changes {
    /// The group's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What its members should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announcement: Option<String>,
    /// How many members it may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_count: Option<i64>,
    /// How one joins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join_policy: Option<JoinPolicy>,
    /// Who invites.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invite_policy: Option<InvitePolicy>,
    /// The role of `target`; for a new owner, the former one is an administrator from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["member", "admin", "owner", null]))]
    pub role: Option<String>,
    /// Until when `target` is muted, milliseconds since the Unix epoch; 0 where that was lifted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<i64>,
}
