//! The rules that a group sets for itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How one joins a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum JoinPolicy {
    /// By oneself.
    #[default]
    Open,
    /// When the owner or an administrator lets one in.
    Approval,
    /// By an invitation only.
    Invite,
}

/// Who may bring others into a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum InvitePolicy {
    /// Every member.
    #[default]
    Members,
    /// The owner and administrators.
    Admins,
}

impl JoinPolicy {
    /// As the store keeps it.
    pub fn to_db(self) -> i64 {
        match self {
            Self::Open => 0,
            Self::Approval => 1,
            Self::Invite => 2,
        }
    }

    /// As the store kept it; what is not known lets nobody in.
    pub fn from_db(kept: i64) -> Self {
        match kept {
            0 => Self::Open,
            1 => Self::Approval,
            _ => Self::Invite,
        }
    }
}

impl InvitePolicy {
    /// As the store keeps it.
    pub fn to_db(self) -> i64 {
        match self {
            Self::Members => 0,
            Self::Admins => 1,
        }
    }

    /// As the store kept it; what is not known is left to administrators.
    pub fn from_db(kept: i64) -> Self {
        match kept {
            0 => Self::Members,
            _ => Self::Admins,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_kept_and_shown_by_their_names() {
        for (policy, name) in [
            (JoinPolicy::Open, "open"),
            (JoinPolicy::Approval, "approval"),
            (JoinPolicy::Invite, "invite"),
        ] {
            assert_eq!(JoinPolicy::from_db(policy.to_db()), policy);
            assert_eq!(serde_json::to_value(policy).unwrap(), name);
        }
        for (policy, name) in [
            (InvitePolicy::Members, "members"),
            (InvitePolicy::Admins, "admins"),
        ] {
            assert_eq!(InvitePolicy::from_db(policy.to_db()), policy);
            assert_eq!(serde_json::to_value(policy).unwrap(), name);
        }
        assert_eq!(JoinPolicy::from_db(77), JoinPolicy::Invite);
        assert_eq!(InvitePolicy::from_db(77), InvitePolicy::Admins);
    }
}
