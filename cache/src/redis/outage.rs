//! What a process remembers for the time without Redis, and owes Redis when it is back.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lingxi_domain::UserId;
use moka::sync::Cache as Map;
use parking_lot::Mutex;

/// As long as presence is believed elsewhere.
const KNOWN_FOR: Duration = Duration::from_secs(60);
const KNOWN_USERS: u64 = 100_000;
/// Keys to be forgotten later; what is beyond that runs out in its own time.
const OWED_KEYS: usize = 10_000;

pub(super) struct Outage {
    /// What Redis last said of users, so that an outage does not make everybody else look away.
    known: Map<UserId, bool>,
    known_count: AtomicU64,
    forgotten: Mutex<HashSet<String>>,
}

impl Outage {
    pub(super) fn new() -> Self {
        Self {
            known: Map::builder()
                .max_capacity(KNOWN_USERS)
                .time_to_live(KNOWN_FOR)
                .build(),
            known_count: AtomicU64::new(0),
            forgotten: Mutex::default(),
        }
    }

    pub(super) fn learn(&self, users: &[UserId], online: &[bool]) {
        for (&user, &online) in users.iter().zip(online) {
            self.known.insert(user, online);
        }
    }

    pub(super) fn learn_gone(&self, users: &[UserId]) {
        users.iter().for_each(|user| self.known.invalidate(user));
    }

    pub(super) fn learn_count(&self, count: u64) {
        self.known_count.store(count, Ordering::Relaxed);
    }

    /// Adds the last known answers to those that `local` gives.
    pub(super) fn recall(&self, users: &[UserId], mut local: Vec<bool>) -> Vec<bool> {
        for (user, online) in users.iter().zip(&mut local) {
            *online = *online || self.known.get(user).unwrap_or(false);
        }
        local
    }

    pub(super) fn recall_count(&self, local: u64) -> u64 {
        local.max(self.known_count.load(Ordering::Relaxed))
    }

    /// A key that Redis could not be told to forget.
    pub(super) fn owe(&self, key: &str) {
        let mut forgotten = self.forgotten.lock();
        if forgotten.len() < OWED_KEYS {
            forgotten.insert(key.to_owned());
        }
    }

    pub(super) fn owed(&self) -> Vec<String> {
        self.forgotten.lock().drain().collect()
    }
}
