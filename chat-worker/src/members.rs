//! Who is in a group.

use std::sync::atomic::AtomicI64;

use lingxi_domain::UserId;

/// The present members of one group.
#[derive(Debug)]
pub(crate) struct Members {
    pub(crate) version: i64,
    /// Changes of membership up to this entry are in `users`.
    pub(crate) seq: AtomicI64,
    /// Sorted by user id: who, and until when muted (milliseconds since the Unix epoch).
    pub(crate) users: Vec<(UserId, i64)>,
}

impl Members {
    /// Until when the user is muted; `None` for somebody who is not a member.
    pub(crate) fn muted_until(&self, user: UserId) -> Option<i64> {
        let found = self.users.binary_search_by_key(&user, |&(id, _)| id);
        found.ok().map(|index| self.users[index].1)
    }

    /// Everybody.
    pub(crate) fn ids(&self) -> impl Iterator<Item = UserId> {
        self.users.iter().map(|&(id, _)| id)
    }
}
