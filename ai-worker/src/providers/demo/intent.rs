//! What can be asked for.

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Intent {
    CreateGroup(String),
    Invite { group: GroupRef, username: String },
    JoinGroup(i64),
    LeaveGroup(i64),
    MyGroups,
    SearchGroup(String),
    SearchUser(String),
    Contacts,
    AddContact(String),
    DeleteContact(String),
}

/// Which group is meant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum GroupRef {
    /// The one that was just created.
    Created,
    /// The one with this id.
    Id(i64),
}
