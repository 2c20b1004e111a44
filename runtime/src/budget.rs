//! The bytes that a process may hold on behalf of its clients, counted in one place: bodies being read, answers being
//! written, frames that wait for sockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A number of bytes shared by everything in a process that clients can make grow. Clones share it.
#[derive(Clone, Debug)]
pub struct Budget {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    most: usize,
    held: AtomicUsize,
}

/// Bytes that are held; given back when this is dropped.
#[derive(Debug)]
#[must_use = "the bytes are given back when this is dropped"]
pub struct Hold {
    budget: Budget,
    bytes: usize,
}

impl Budget {
    /// A budget of `most` bytes.
    #[must_use]
    pub fn new(most: usize) -> Self {
        let held = AtomicUsize::new(0);
        Self {
            shared: Arc::new(Shared { most, held }),
        }
    }

    /// Takes `bytes`, or nothing when they are not there.
    #[must_use]
    pub fn take(&self, bytes: usize) -> Option<Hold> {
        self.reserve(bytes).then(|| Hold {
            budget: self.clone(),
            bytes,
        })
    }

    /// Bytes that are held now.
    #[must_use]
    pub fn held(&self) -> usize {
        self.shared.held.load(Ordering::Relaxed)
    }

    /// Bytes that can be held at most.
    #[must_use]
    pub fn most(&self) -> usize {
        self.shared.most
    }

    fn reserve(&self, bytes: usize) -> bool {
        let most = self.shared.most;
        let more = |held: usize| held.checked_add(bytes).filter(|sum| *sum <= most);
        let held = &self.shared.held;
        held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.shared.held.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Hold {
    /// Takes `bytes` more into this hold; false, and nothing taken, when they are not there.
    #[must_use]
    pub fn grow(&mut self, bytes: usize) -> bool {
        let grown = self.budget.reserve(bytes);
        if grown {
            self.bytes += bytes;
        }
        grown
    }

    /// Gives `bytes` of it back, at most what it holds.
    pub fn shrink(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.budget.give_back(bytes);
    }

    /// Bytes in this hold.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_held_than_there_is_and_all_of_it_comes_back() {
        let budget = Budget::new(100);
        let mut first = budget.take(60).unwrap();
        assert!(budget.take(41).is_none());
        assert!(!first.grow(41));
        assert!(first.grow(40));
        assert_eq!((budget.held(), first.bytes()), (100, 100));
        first.shrink(30);
        let second = budget.take(30).unwrap();
        first.shrink(1_000);
        assert_eq!((budget.held(), first.bytes()), (30, 0));
        drop((first, second));
        assert_eq!(budget.held(), 0);
        assert!(budget.take(usize::MAX).is_none());
    }
}
