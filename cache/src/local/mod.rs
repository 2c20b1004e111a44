//! The cache inside one process, bounded in entries.

mod attempts;
mod buckets;
mod mortal;
mod presence;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lingxi_domain::UserId;
use moka::sync::Cache as Map;

use self::attempts::AttemptCounts;
use self::buckets::Buckets;
use self::mortal::{CAPACITY, Mortal, OwnTtl};
use self::presence::Presence;
use crate::{Backoff, Cache, Decision, Rate, Result, SharedCache};

/// A cache for one process.
pub struct LocalCache {
    presence: Presence,
    values: Map<String, Mortal<Arc<str>>>,
    counters: Map<String, Mortal<u32>>,
    buckets: Buckets,
    attempts: AttemptCounts,
}

impl LocalCache {
    /// An empty cache.
    pub fn shared() -> SharedCache {
        Arc::new(Self::new())
    }

    /// As [`shared`](Self::shared), for one owner.
    pub(crate) fn new() -> Self {
        Self {
            presence: Presence::default(),
            values: Map::builder()
                .max_capacity(CAPACITY)
                .expire_after(OwnTtl::<false>)
                .build(),
            counters: Map::builder()
                .max_capacity(CAPACITY)
                .expire_after(OwnTtl::<true>)
                .build(),
            buckets: Buckets::new(),
            attempts: AttemptCounts::new(),
        }
    }

    /// Who is connected to which node, and how long this holds at most.
    pub(crate) fn seats(&self) -> Vec<(Arc<str>, Vec<UserId>, Duration)> {
        self.presence.seats()
    }
}

#[async_trait]
impl Cache for LocalCache {
    async fn refresh_presence(&self, node: &str, users: &[UserId], ttl: Duration) -> Result<()> {
        self.presence.refresh(node, users, ttl);
        Ok(())
    }

    async fn clear_presence(&self, node: &str, users: &[UserId]) -> Result<()> {
        self.presence.clear(node, users);
        Ok(())
    }

    async fn online(&self, users: &[UserId]) -> Result<Vec<bool>> {
        Ok(self.presence.online(users))
    }

    async fn online_count(&self) -> Result<u64> {
        Ok(self.presence.count())
    }

    async fn take(&self, key: &str, rate: Rate, cost: u32) -> Result<Decision> {
        Ok(self.buckets.take(key, rate, cost))
    }

    async fn take_upto(&self, key: &str, rate: Rate, want: u32) -> Result<u32> {
        Ok(self.buckets.take_upto(key, rate, want))
    }

    async fn attempt(&self, key: &str, backoff: Backoff) -> Result<Decision> {
        Ok(self.attempts.attempt(key, backoff))
    }

    async fn release(&self, key: &str) -> Result<()> {
        self.attempts.release(key);
        Ok(())
    }

    async fn count(&self, key: &str, window: Duration) -> Result<u32> {
        let entry = self.counters.entry_by_ref(key).and_upsert_with(|old| {
            let value = old.map_or(0, |e| e.into_value().value);
            Mortal {
                value: value.saturating_add(1),
                ttl: window,
            }
        });
        Ok(entry.into_value().value)
    }

    async fn counted(&self, key: &str) -> Result<u32> {
        Ok(self.counters.get(key).map_or(0, |m| m.value))
    }

    async fn get(&self, key: &str) -> Result<Option<String>> {
        Ok(self.values.get(key).map(|m| m.value.to_string()))
    }

    async fn put(&self, key: &str, value: &str, ttl: Duration) -> Result<()> {
        self.values.insert(
            key.to_owned(),
            Mortal {
                value: value.into(),
                ttl,
            },
        );
        Ok(())
    }

    async fn forget(&self, key: &str) -> Result<()> {
        self.values.invalidate(key);
        self.counters.invalidate(key);
        self.attempts.forget(key);
        Ok(())
    }
}
