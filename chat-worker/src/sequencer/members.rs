//! The members of groups, remembered as long as the conversation's version says that they are right.
//!
//! All of a large group's members are read before the batch takes its locks; under them, what has changed meanwhile is
//! read alone.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use lingxi_store::{ConversationHead, Error, Roster, Store, Tx};

use crate::incoming::Incoming;
use crate::members::Members;

/// Members remembered, of all groups together, before those of the groups that were not used longest are forgotten. They
/// take 16 bytes each.
const CAPACITY: usize = 1_000_000;
/// Changes of one group's membership that are applied one by one; after more of them all members are read.
const CHANGES: i64 = 64;
/// Entries that are looked through for them.
const ENTRIES: i64 = 4096;

struct Known {
    members: Arc<Members>,
    used: u64,
}

/// What the sequencer knows of groups' members.
#[derive(Default)]
pub(super) struct MemberCache {
    groups: HashMap<String, Known>,
    /// Members of all groups together.
    size: usize,
    /// Batches so far.
    batches: u64,
}

/// The members of a batch's groups, or the groups of which they must be read anew.
pub(super) enum Loaded {
    Current(HashMap<String, Arc<Members>>),
    Changed(Vec<String>),
}

impl MemberCache {
    /// Begins a batch: reads the members of those of its groups of which nothing is known.
    pub(super) async fn read_unknown(
        &mut self,
        store: &Store,
        messages: &[Incoming],
    ) -> Result<(), Error> {
        self.batches += 1;
        self.forget_unused();
        let mut unknown: Vec<String> = messages
            .iter()
            .filter(|message| message.key.group().is_some())
            .map(|message| &message.inbound.conversation)
            .filter(|group| !self.groups.contains_key(*group))
            .cloned()
            .collect();
        unknown.sort_unstable();
        unknown.dedup();
        self.read(store, &unknown).await
    }

    /// Reads all members of these groups.
    pub(super) async fn read(&mut self, store: &Store, groups: &[String]) -> Result<(), Error> {
        if groups.is_empty() {
            return Ok(());
        }
        let keys: Vec<&str> = groups.iter().map(String::as_str).collect();
        let rosters = store.rosters(&keys).await?;
        rosters.into_iter().for_each(|roster| self.put(roster));
        Ok(())
    }

    /// The members of these groups, which `tx` has locked. Those of which much has changed are read by it only when
    /// `read_locked`; otherwise the caller reads them outside.
    pub(super) async fn current(
        &mut self,
        tx: &mut Tx,
        groups: &[&ConversationHead],
        read_locked: bool,
    ) -> Result<Loaded, Error> {
        let mut changed = Vec::new();
        for head in groups {
            if !self.brought_up(tx, head).await? {
                changed.push(head.conversation.as_str());
            }
        }
        if !changed.is_empty() && !read_locked {
            return Ok(Loaded::Changed(
                changed.into_iter().map(str::to_owned).collect(),
            ));
        }
        if !changed.is_empty() {
            let rosters = tx.rosters(&changed).await?;
            rosters.into_iter().for_each(|roster| self.put(roster));
        }
        let batches = self.batches;
        let known = |head: &&ConversationHead| {
            let known = self.groups.get_mut(&head.conversation)?;
            known.used = batches;
            Some((head.conversation.clone(), known.members.clone()))
        };
        Ok(Loaded::Current(groups.iter().filter_map(known).collect()))
    }

    /// Returns true if the members of this group are those of its present version, once the changes since were applied.
    /// Each change of membership is an entry and raises the version by one; where something else raised it (a mute), the
    /// numbers differ.
    async fn brought_up(&mut self, tx: &mut Tx, head: &ConversationHead) -> Result<bool, Error> {
        let Some(known) = self.groups.get(&head.conversation) else {
            return Ok(false);
        };
        let members = known.members.clone();
        let after = members.seq.load(Ordering::Relaxed);
        if members.version == head.version {
            members.seq.store(head.last_seq, Ordering::Relaxed);
            return Ok(true);
        }
        let versions = head.version - members.version;
        if !(1..=CHANGES).contains(&versions) || head.last_seq - after > ENTRIES {
            return Ok(false);
        }
        let range = (after, head.last_seq);
        let mut who = tx
            .membership_changes(&head.conversation, range, CHANGES + 1)
            .await?;
        if who.len() as i64 != versions {
            return Ok(false);
        }
        who.sort_unstable();
        who.dedup();
        let present = tx.present_among(&head.conversation, &who).await?;
        let mut users = members.users.clone();
        for user in who {
            let at = users.binary_search_by_key(&user, |&(id, _)| id);
            let now = present.iter().find(|&&(id, _)| id == user);
            match (at, now) {
                (Ok(at), Some(&now)) => users[at] = now,
                #[cfg(feature = "sabotage")]
                (Ok(_), None) if crate::sabotage::planted("kick-forgotten") => {}
                (Ok(at), None) => {
                    users.remove(at);
                }
                (Err(at), Some(&now)) => users.insert(at, now),
                (Err(_), None) => {}
            }
        }
        self.put(Roster {
            conversation: head.conversation.clone(),
            version: head.version,
            last_seq: head.last_seq,
            members: users,
        });
        Ok(true)
    }

    fn put(&mut self, roster: Roster) {
        let Roster {
            conversation,
            version,
            last_seq,
            members,
        } = roster;
        self.size += members.len();
        let members = Members {
            version,
            seq: AtomicI64::new(last_seq),
            users: members,
        };
        let known = Known {
            members: Arc::new(members),
            used: self.batches,
        };
        if let Some(before) = self.groups.insert(conversation, known) {
            self.size -= before.members.users.len();
        }
    }

    fn forget_unused(&mut self) {
        if self.size <= CAPACITY && self.groups.len() <= CAPACITY {
            return;
        }
        let mut by_use: Vec<(u64, String)> = self
            .groups
            .iter()
            .map(|(group, known)| (known.used, group.clone()))
            .collect();
        by_use.sort_unstable();
        // To three quarters, so that it is not done for every batch.
        for (_, group) in by_use {
            if self.size.max(self.groups.len()) <= CAPACITY / 4 * 3 {
                break;
            }
            if let Some(known) = self.groups.remove(&group) {
                self.size -= known.members.users.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roster(group: usize, members: i64) -> Roster {
        Roster {
            conversation: format!("g:{group}"),
            version: 1,
            last_seq: 0,
            members: (0..members).map(|user| (user, 0)).collect(),
        }
    }

    #[test]
    fn members_are_bounded_and_those_that_were_used_last_stay() {
        let mut cache = MemberCache::default();
        for group in 0..300 {
            cache.batches += 1;
            cache.forget_unused();
            cache.put(roster(group, 5_000));
            assert!(cache.size <= CAPACITY + 5_000, "{}", cache.size);
        }
        assert!(cache.groups.contains_key("g:299"));
        assert!(!cache.groups.contains_key("g:0"));
        let size: usize = cache
            .groups
            .values()
            .map(|known| known.members.users.len())
            .sum();
        assert_eq!(cache.size, size);
        cache.put(roster(299, 10));
        assert_eq!(cache.size, size - 4_990, "replaced, not added");
    }
}
