//! Who may take a user into a group.

use serde::{Deserialize, Serialize};

/// Who may take a user into a group without asking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhoMayInvite {
    /// Every member of the group.
    #[default]
    Everyone,
    /// Those on the user's list of contacts.
    Contacts,
    /// Nobody: the user joins by themselves.
    Nobody,
}

impl WhoMayInvite {
    /// As the store keeps it.
    pub fn to_db(self) -> i64 {
        match self {
            Self::Everyone => 0,
            Self::Contacts => 1,
            Self::Nobody => 2,
        }
    }

    /// As the store kept it; what is not known lets nobody invite.
    pub fn from_db(kept: i64) -> Self {
        match kept {
            0 => Self::Everyone,
            1 => Self::Contacts,
            _ => Self::Nobody,
        }
    }
}
