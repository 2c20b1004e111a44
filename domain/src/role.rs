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

/// What an account is. An operator's role contains those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountRole {
    /// A person.
    User,
    /// A program that takes part. It has tokens and no password.
    Bot,
    /// An operator who looks.
    Viewer,
    /// An operator who also keeps order.
    Moderator,
    /// An operator who does everything.
    Admin,
}

impl AccountRole {
    /// Every role.
    pub const ALL: [Self; 5] = [
        Self::User,
        Self::Bot,
        Self::Viewer,
        Self::Moderator,
        Self::Admin,
    ];

    /// As tokens and clients see it, and as the store keeps it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Bot => "bot",
            Self::Viewer => "viewer",
            Self::Moderator => "moderator",
            Self::Admin => "admin",
        }
    }

    /// From its text; unknown ones count as a person.
    pub fn parse(text: &str) -> Self {
        let known = Self::ALL.into_iter().find(|role| role.as_str() == text);
        known.unwrap_or(Self::User)
    }

    /// Whether the account may use the operators' API. What it may do there is in [`crate::operations`].
    pub fn is_operator(self) -> bool {
        self >= Self::Viewer
    }
}

#[cfg(test)]
mod tests {
    use super::AccountRole;
    use super::GroupRole::{Admin, Member, Owner};

    #[test]
    fn roles_of_accounts_are_read_back_and_three_are_operators() {
        for role in AccountRole::ALL {
            assert_eq!(AccountRole::parse(role.as_str()), role);
        }
        assert_eq!(AccountRole::parse("root"), AccountRole::User);
        let operators = AccountRole::ALL.map(AccountRole::is_operator);
        assert_eq!(operators, [false, false, true, true, true]);
    }

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
