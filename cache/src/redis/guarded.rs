//! Redis with a net below it: no call fails and none waits for a Redis that is known to be away.

use std::future::Future;
use std::mem::discriminant;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use lingxi_domain::UserId;
use parking_lot::Mutex;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::outage::Outage;
use super::{Options, RedisCache};
use crate::local::LocalCache;
use crate::{Backoff, Cache, Decision, Error, Rate, Result};

/// How often Redis is asked whether it is there.
const PROBE: Duration = Duration::from_secs(1);

/// A [`RedisCache`] that never fails: while Redis is away, limits and counters hold within this process, presence is
/// what this process knows or last heard, and values are missing. The first call that finds Redis away waits for its
/// timeout; the calls after it do not ask Redis until a probe, once a second, finds it back. Clones share it.
#[derive(Clone)]
pub struct Guarded(Arc<Kept>);

struct Kept {
    shared: Arc<Shared>,
    /// Ends with the last clone.
    _keeper: JoinSet<()>,
}

struct Shared {
    redis: RedisCache,
    /// Takes the calls that Redis does not, and holds what this process has said of itself.
    local: LocalCache,
    outage: Outage,
    available: AtomicBool,
    trouble: Mutex<Option<Error>>,
}

impl Guarded {
    /// Connects. When Redis cannot be reached this is logged, not an error: it is picked up when it comes.
    ///
    /// # Errors
    /// When Redis answers and will not do: a refused login, a server that is too old or of another kind than its URL
    /// says.
    pub async fn connect(options: Options) -> Result<Self> {
        let shared = Arc::new(Shared {
            redis: RedisCache::new(options)?,
            local: LocalCache::new(),
            outage: Outage::new(),
            available: AtomicBool::new(false),
            trouble: Mutex::new(None),
        });
        match shared.redis.ensure().await {
            Ok(()) => shared.available.store(true, Ordering::Release),
            Err(error @ Error::Unavailable(_)) => shared.leave(error),
            Err(error) => return Err(error),
        }
        let mut keeper = JoinSet::new();
        keeper.spawn(keep(shared.clone()));
        Ok(Self(Arc::new(Kept {
            shared,
            _keeper: keeper,
        })))
    }

    /// Whether Redis is in use, or why it is not; the text holds no secret.
    ///
    /// # Errors
    /// While it is away. The process works without it, only its limits do not hold across nodes.
    pub fn status(&self) -> std::result::Result<(), String> {
        match &*self.0.shared.trouble.lock() {
            Some(error) => Err(format!("degraded: {error}")),
            None => Ok(()),
        }
    }
}

/// Watches over Redis for as long as the cache is in use.
async fn keep(shared: Arc<Shared>) {
    let mut ticks = interval(PROBE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let probed = if shared.is_available() {
            shared.redis.connection.ping().await
        } else {
            shared.come_back().await
        };
        if let Err(error) = probed {
            shared.leave(error);
        }
        let available = if shared.is_available() { 1.0 } else { 0.0 };
        metrics::gauge!("lingxi_cache_available").set(available);
    }
}

impl Shared {
    fn is_available(&self) -> bool {
        self.available.load(Ordering::Acquire)
    }

    /// Asks Redis, unless it is known to be away.
    async fn ask<T>(&self, call: impl Future<Output = Result<T>>) -> Option<T> {
        if !self.is_available() {
            return None;
        }
        match call.await {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.leave(error);
                None
            }
        }
    }

    fn leave(&self, error: Error) {
        let mut trouble = self.trouble.lock();
        self.available.store(false, Ordering::Release);
        // Once an outage, and again when it turns into something that waiting will not mend.
        if trouble.as_ref().map(discriminant) != Some(discriminant(&error)) {
            tracing::warn!(%error, "Redis is away; limits hold per node, presence is what this node knows");
        }
        *trouble = Some(error);
    }

    /// Connects again and tells Redis what it missed, before anybody else asks it.
    async fn come_back(&self) -> Result<()> {
        self.redis.ensure().await?;
        for (node, users, left) in self.local.seats() {
            self.redis.refresh_presence(&node, &users, left).await?;
        }
        self.forget_owed().await?;
        {
            let mut trouble = self.trouble.lock();
            *trouble = None;
            self.available.store(true, Ordering::Release);
        }
        tracing::info!("Redis is back; limits hold across nodes");
        // Those that were owed while the others were paid.
        self.forget_owed().await
    }

    async fn forget_owed(&self) -> Result<()> {
        let owed = self.outage.owed();
        let mut keys = owed.iter();
        while let Some(key) = keys.next() {
            if let Err(error) = self.redis.forget(key).await {
                self.outage.owe(key);
                keys.for_each(|key| self.outage.owe(key));
                return Err(error);
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Cache for Guarded {
    async fn refresh_presence(&self, node: &str, users: &[UserId], ttl: Duration) -> Result<()> {
        let shared = &self.0.shared;
        shared.local.refresh_presence(node, users, ttl).await?;
        shared
            .ask(shared.redis.refresh_presence(node, users, ttl))
            .await;
        Ok(())
    }

    async fn clear_presence(&self, node: &str, users: &[UserId]) -> Result<()> {
        let shared = &self.0.shared;
        shared.local.clear_presence(node, users).await?;
        shared.outage.learn_gone(users);
        shared.ask(shared.redis.clear_presence(node, users)).await;
        Ok(())
    }

    async fn online(&self, users: &[UserId]) -> Result<Vec<bool>> {
        let shared = &self.0.shared;
        if let Some(online) = shared.ask(shared.redis.online(users)).await {
            shared.outage.learn(users, &online);
            return Ok(online);
        }
        let local = shared.local.online(users).await?;
        Ok(shared.outage.recall(users, local))
    }

    async fn online_count(&self) -> Result<u64> {
        let shared = &self.0.shared;
        if let Some(count) = shared.ask(shared.redis.online_count()).await {
            shared.outage.learn_count(count);
            return Ok(count);
        }
        let local = shared.local.online_count().await?;
        Ok(shared.outage.recall_count(local))
    }

    async fn take(&self, key: &str, rate: Rate, cost: u32) -> Result<Decision> {
        let shared = &self.0.shared;
        match shared.ask(shared.redis.take(key, rate, cost)).await {
            Some(decision) => Ok(decision),
            None => shared.local.take(key, rate, cost).await,
        }
    }

    async fn take_upto(&self, key: &str, rate: Rate, want: u32) -> Result<u32> {
        let shared = &self.0.shared;
        match shared.ask(shared.redis.take_upto(key, rate, want)).await {
            Some(taken) => Ok(taken),
            None => shared.local.take_upto(key, rate, want).await,
        }
    }

    async fn attempt(&self, key: &str, backoff: Backoff) -> Result<Decision> {
        let shared = &self.0.shared;
        // Here too, so that what this node has counted survives Redis.
        let local = shared.local.attempt(key, backoff).await?;
        let decision = shared.ask(shared.redis.attempt(key, backoff)).await;
        Ok(decision.unwrap_or(local))
    }

    async fn release(&self, key: &str) -> Result<()> {
        let shared = &self.0.shared;
        shared.local.release(key).await?;
        shared.ask(shared.redis.release(key)).await;
        Ok(())
    }

    async fn count(&self, key: &str, window: Duration) -> Result<u32> {
        let shared = &self.0.shared;
        // Here too, so that what this node has counted survives Redis.
        let local = shared.local.count(key, window).await?;
        let count = shared.ask(shared.redis.count(key, window)).await;
        Ok(count.unwrap_or(local))
    }

    async fn counted(&self, key: &str) -> Result<u32> {
        let shared = &self.0.shared;
        match shared.ask(shared.redis.counted(key)).await {
            Some(count) => Ok(count),
            None => shared.local.counted(key).await,
        }
    }

    async fn get(&self, key: &str) -> Result<Option<String>> {
        let shared = &self.0.shared;
        Ok(shared.ask(shared.redis.get(key)).await.flatten())
    }

    async fn put(&self, key: &str, value: &str, ttl: Duration) -> Result<()> {
        let shared = &self.0.shared;
        shared.ask(shared.redis.put(key, value, ttl)).await;
        Ok(())
    }

    async fn forget(&self, key: &str) -> Result<()> {
        let shared = &self.0.shared;
        shared.local.forget(key).await?;
        if shared.ask(shared.redis.forget(key)).await.is_none() {
            shared.outage.owe(key);
        }
        Ok(())
    }
}
