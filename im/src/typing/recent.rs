//! Who was told of late that somebody types, and whom there is to tell.

use std::sync::Arc;
use std::time::Duration;

use lingxi_domain::{ConversationKey, GroupId, UserId};
use moka::sync::Cache;

/// Told once in this time for each user and conversation.
const ONCE_IN: Duration = Duration::from_secs(3);
/// Members are read again after this time: who was removed is told for no longer.
const MEMBERS_FOR: Duration = Duration::from_secs(2);
const GROUPS: u64 = 10_000;
const TYPISTS: u64 = 100_000;

/// The members of a group that is small enough.
pub(super) type Members = Option<Arc<[UserId]>>;

pub(crate) struct Recent {
    pub(super) members: Cache<GroupId, Members>,
    told: Cache<(UserId, ConversationKey), ()>,
}

impl Recent {
    pub(crate) fn new() -> Self {
        Self {
            members: Cache::builder()
                .max_capacity(GROUPS)
                .time_to_live(MEMBERS_FOR)
                .build(),
            told: Cache::builder()
                .max_capacity(TYPISTS)
                .time_to_live(ONCE_IN)
                .build(),
        }
    }

    /// Returns true if it is told now; not again for a while.
    pub(super) fn is_due(&self, user: UserId, key: ConversationKey) -> bool {
        let entry = self.told.entry((user, key)).or_insert(());
        entry.is_fresh()
    }
}
