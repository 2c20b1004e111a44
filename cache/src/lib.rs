//! Shared, forgettable state: who is online, limits that hold across nodes, and hot look-ups.
//!
//! The store is always right: whatever is asked here may be missing or a little old, and a [`Cache`] that is away makes
//! things slower, never wrong. [`local::LocalCache`] lives in one process, [`redis::RedisCache`] is shared by all of a
//! cluster, and [`redis::Guarded`], which processes use, goes on by itself while Redis is away. Every implementation
//! passes `conformance`. Start reading at [`Cache`].

pub mod local;
pub mod redis;

#[cfg(feature = "conformance")]
pub mod conformance;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lingxi_domain::UserId;

/// Why the cache did not do what it was asked. Callers go on without it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is away, or too slow; it may come back by itself.
    #[error("the cache is not available: {0}")]
    Unavailable(String),
    /// The URL is malformed, or names another kind of server than the one that answered.
    #[error("{0}")]
    Misconfigured(String),
    /// It refuses the login, or lets its user do too little.
    #[error("{0}")]
    Refused(String),
    /// The server lacks what is needed.
    #[error("{0}")]
    TooOld(String),
}

/// Results of cache operations.
pub type Result<T> = std::result::Result<T, Error>;

/// The shared handle that callers keep.
pub type SharedCache = Arc<dyn Cache>;

/// A token bucket's size and speed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Tokens that an idle bucket holds.
    pub burst: u32,
    /// Tokens that come back in a second.
    pub per_second: f64,
}

impl Rate {
    /// `count` a minute, all of them at once if need be.
    pub fn per_minute(count: u32) -> Self {
        Self {
            burst: count,
            per_second: f64::from(count) / 60.0,
        }
    }

    /// Tokens a second, above 0 also where nothing is to come back: then it is one in twelve days.
    fn refill(self) -> f64 {
        if self.per_second.is_finite() {
            self.per_second.clamp(1e-6, 1e9)
        } else {
            1e-6
        }
    }
}

/// How attempts that may fail are slowed down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Attempts before the first delay.
    pub free: u32,
    /// The first delay; each further one is twice as long.
    pub first: Duration,
    /// The longest delay.
    pub longest: Duration,
    /// Attempts are forgotten so long after the last one.
    pub memory: Duration,
}

impl Backoff {
    /// The delay behind the attempt of that number, the first one being 1.
    fn after(self, number: u32) -> Duration {
        match number.checked_sub(self.free) {
            None => Duration::ZERO,
            Some(over) => self
                .first
                .saturating_mul(1 << over.min(30))
                .min(self.longest),
        }
    }
}

/// Whether something may happen now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes; the tokens were taken, or the attempt was counted.
    Allowed,
    /// No; the earliest time it can be.
    RetryAfter(Duration),
}

/// Shared, forgettable state. See the crate's documentation.
#[async_trait]
pub trait Cache: Send + Sync + 'static {
    /// These users are connected to `node` for `ttl` from now, whatever other nodes say of them.
    async fn refresh_presence(&self, node: &str, users: &[UserId], ttl: Duration) -> Result<()>;

    /// These users have left `node`; those that are also connected elsewhere stay online.
    async fn clear_presence(&self, node: &str, users: &[UserId]) -> Result<()>;

    /// Which of these users are online at any node, in the order asked.
    async fn online(&self, users: &[UserId]) -> Result<Vec<bool>>;

    /// How many users are online.
    async fn online_count(&self) -> Result<u64>;

    /// Takes `cost` tokens from the bucket `key`, all or none. A bucket is full when it is new. A cost above the burst is
    /// never granted; the time to wait is a day at most.
    async fn take(&self, key: &str, rate: Rate, cost: u32) -> Result<Decision>;

    /// Takes as many whole tokens as the bucket `key` has, at most `want`; returns how many.
    async fn take_upto(&self, key: &str, rate: Rate, want: u32) -> Result<u32>;

    /// Counts an attempt under `key` before it is made, unless it comes too early: the one that ends the free ones and
    /// each after it closes the key for a while. Attempts that come too early count for nothing. Where one succeeds the
    /// caller [`forget`](Self::forget)s the key; one that nobody settles has failed.
    async fn attempt(&self, key: &str, backoff: Backoff) -> Result<Decision>;

    /// An attempt that was counted under `key` was not made after all; the next one may be made at once.
    async fn release(&self, key: &str) -> Result<()>;

    /// Adds one to the counter `key`, which starts at 0 and ends `window` after its first count; answers the new value.
    async fn count(&self, key: &str, window: Duration) -> Result<u32>;

    /// The counter's value, 0 when there is none.
    async fn counted(&self, key: &str) -> Result<u32>;

    /// What was put under `key` and has not run out.
    async fn get(&self, key: &str) -> Result<Option<String>>;

    /// Keeps `value` under `key` for `ttl`, or less.
    async fn put(&self, key: &str, value: &str, ttl: Duration) -> Result<()>;

    /// Forgets the value, the counter or the attempts under `key`.
    async fn forget(&self, key: &str) -> Result<()>;
}
