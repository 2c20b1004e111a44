//! Roles in a group and what they allow.

/// A member's role in a group. Higher ones contain the lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum GroupRole {
    /// Reads and writes; invites, unless the group leaves that to administrators.
    Member = 0,
    /// Also lets in, mutes, kicks, recalls, and changes what the group says of itself.
    Admin = 1,
    /// Also makes administrators, dismisses and hands over; there is exactly one.
    Owner = 2,
}

impl GroupRole {
    /// As clients see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// As the store keeps it.
    pub fn to_db(self) -> i64 {
        self as i64
    }

    /// From the store's number; unknown ones count as the least.
    pub fn from_db(value: i64) -> Self {
        match value {
            2 => Self::Owner,
            1 => Self::Admin,
            _ => Self::Member,
        }
    }

    /// Whether a member of this role may change the group: its name, its rules, who is let in.
    pub fn may_manage(self) -> bool {
        self > Self::Member
    }

    /// Whether a member of this role may remove or mute one of `target`'s role.
    pub fn may_kick(self, target: Self) -> bool {
        self > Self::Member && self > target
    }

    /// Whether a member of this role may recall what others wrote, at any time.
    pub fn may_recall_others(self) -> bool {
        self > Self::Member
    }
}

/// What an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccountRole {
    /// A person.
    User,
    /// An operator.
    Admin,
    /// A program that posts.
    Bot,
}

impl AccountRole {
    /// As tokens and clients see it, and as the store keeps it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
            Self::Bot => "bot",
        }
    }

    /// From its text; unknown ones count as a person.
    pub fn parse(text: &str) -> Self {
        match text {
            "admin" => Self::Admin,
            "bot" => Self::Bot,
            _ => Self::User,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::GroupRole::{Admin, Member, Owner};

    #[test]
    fn kicking_goes_down_only() {
        for (by, target, allowed) in [
            (Owner, Admin, true),
            (Owner, Member, true),
            (Admin, Member, true),
            (Admin, Admin, false),
            (Admin, Owner, false),
            (Member, Member, false),
            (Owner, Owner, false),
        ] {
            assert_eq!(by.may_kick(target), allowed, "{by:?} {target:?}");
        }
    }
}
