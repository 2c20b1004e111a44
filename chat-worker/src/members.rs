//! The members of groups, remembered as long as the conversation's version says that they are right.

use std::collections::HashMap;
use std::sync::Arc;

use lingxi_domain::UserId;
use lingxi_store::{ConversationHead, Result, Tx};

/// Groups remembered before all are forgotten and read again.
const CAPACITY: usize = 10_000;

/// The present members of one group.
#[derive(Debug)]
pub(crate) struct Members {
    version: i64,
    /// Sorted by user id: who, and until when muted (milliseconds since the Unix epoch).
    users: Vec<(UserId, i64)>,
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

/// What a lane knows of groups' members.
#[derive(Default)]
pub(crate) struct MemberCache {
    groups: HashMap<String, Arc<Members>>,
}

impl MemberCache {
    /// The members of each of these locked groups, read again in one query where the version has changed.
    pub(crate) async fn load(
        &mut self,
        tx: &mut Tx,
        groups: &[&ConversationHead],
    ) -> Result<HashMap<String, Arc<Members>>> {
        if self.groups.len() > CAPACITY {
            self.groups.clear();
        }
        let known = |head: &&&ConversationHead| {
            let members = self.groups.get(&head.conversation);
            members.is_some_and(|m| m.version == head.version)
        };
        let stale: Vec<&ConversationHead> = groups.iter().filter(|h| !known(h)).copied().collect();
        if !stale.is_empty() {
            let keys: Vec<&str> = stale.iter().map(|h| h.conversation.as_str()).collect();
            let mut users: HashMap<String, Vec<(UserId, i64)>> = HashMap::new();
            for member in tx.active_members(&keys).await? {
                let of_group = users.entry(member.conversation).or_default();
                of_group.push((member.user_id, member.muted_until));
            }
            for head in stale {
                let mut users = users.remove(&head.conversation).unwrap_or_default();
                users.sort_unstable();
                let members = Members {
                    version: head.version,
                    users,
                };
                self.groups
                    .insert(head.conversation.clone(), Arc::new(members));
            }
        }
        let known = |h: &&ConversationHead| {
            Some((
                h.conversation.clone(),
                self.groups.get(&h.conversation)?.clone(),
            ))
        };
        Ok(groups.iter().filter_map(known).collect())
    }
}
