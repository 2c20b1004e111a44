//! Entries that live as long as they say.

use std::time::{Duration, Instant};

use moka::Expiry;

/// Entries of each kind before the least used are dropped.
pub(super) const CAPACITY: u64 = 200_000;

/// A value with the time it has to live.
#[derive(Clone)]
pub(super) struct Mortal<T> {
    pub(super) value: T,
    pub(super) ttl: Duration,
}

/// Lets each entry live as long as it says, counted from its first write where `KEEP`, else from its last.
pub(super) struct OwnTtl<const KEEP: bool>;

impl<K, T, const KEEP: bool> Expiry<K, Mortal<T>> for OwnTtl<KEEP> {
    fn expire_after_create(&self, _: &K, value: &Mortal<T>, _: Instant) -> Option<Duration> {
        Some(value.ttl)
    }
    fn expire_after_update(
        &self,
        _: &K,
        value: &Mortal<T>,
        _: Instant,
        left: Option<Duration>,
    ) -> Option<Duration> {
        if KEEP { left } else { Some(value.ttl) }
    }
}
