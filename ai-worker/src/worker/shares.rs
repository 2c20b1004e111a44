//! Fair shares of a worker's slots: whoever asks for much does not keep others waiting.

use std::collections::HashMap;
use std::sync::Arc;

use lingxi_domain::UserId;
use parking_lot::Mutex;

/// Slots that one user may have here however few there are.
const AT_LEAST: usize = 4;

/// Who holds how many of this worker's slots.
pub(super) struct Shares {
    most: usize,
    held: Mutex<HashMap<UserId, Share>>,
}

#[derive(Default)]
struct Share {
    running: usize,
    /// Runs of theirs were passed over: they wait in the store.
    passed_over: bool,
}

/// A user's slot; given back when dropped.
pub(super) struct Slot {
    user: UserId,
    shares: Arc<Shares>,
}

impl Shares {
    /// Of `slots`, one user gets a quarter, or a few where there are few, and always leaves one to others.
    pub(super) fn of(slots: usize) -> Arc<Self> {
        let most = (slots / 4)
            .max(AT_LEAST)
            .min(slots.saturating_sub(1))
            .max(1);
        Arc::new(Self {
            most,
            held: Mutex::default(),
        })
    }

    /// A slot for a run of this user; nothing when they have their share, and that is noted.
    pub(super) fn take(self: &Arc<Self>, user: UserId) -> Option<Slot> {
        let mut held = self.held.lock();
        let share = held.entry(user).or_default();
        if share.running >= self.most {
            share.passed_over = true;
            return None;
        }
        share.running += 1;
        Some(Slot {
            user,
            shares: self.clone(),
        })
    }
}

impl Slot {
    /// Whose it is.
    pub(super) fn user(&self) -> UserId {
        self.user
    }

    /// Whether runs of theirs were passed over since this was last asked.
    pub(super) fn was_passed_over(&self) -> bool {
        let mut held = self.shares.held.lock();
        let share = held.get_mut(&self.user);
        share.is_some_and(|share| std::mem::take(&mut share.passed_over))
    }

    /// Something of theirs still waits, perhaps.
    pub(super) fn pass_over(&self) {
        if let Some(share) = self.shares.held.lock().get_mut(&self.user) {
            share.passed_over = true;
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut held = self.shares.held.lock();
        if let Some(share) = held.get_mut(&self.user) {
            share.running -= 1;
            if share.running == 0 {
                held.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_user_has_a_share_and_always_leaves_a_slot() {
        for (slots, most) in [(1, 1), (2, 1), (4, 3), (5, 4), (16, 4), (100, 25)] {
            let shares = Shares::of(slots);
            let held: Vec<_> = (0..slots).map_while(|_| shares.take(1)).collect();
            assert_eq!(held.len(), most, "of {slots}");
            let other = shares.take(2);
            assert!(other.is_some());
        }
    }

    #[test]
    fn what_was_passed_over_is_remembered_until_it_is_asked_for() {
        let shares = Shares::of(2);
        let slot = shares.take(1).unwrap();
        assert!(!slot.was_passed_over());
        assert!(shares.take(1).is_none());
        assert!(slot.was_passed_over() && !slot.was_passed_over());
        drop(slot);
        assert!(shares.held.lock().is_empty(), "bounded by what runs");
    }
}
