//! The cache that all nodes of a cluster share, on Redis 7 or newer.
//!
//! [`RedisCache`] is Redis as it is, errors included. Processes use [`Guarded`], which answers even without Redis.

mod connection;
mod guarded;
mod keys;
mod options;
mod outage;
mod refusal;
mod scripts;

use std::time::Duration;

use async_trait::async_trait;
use fred::interfaces::KeysInterface;
use fred::types::scripts::Script;
use fred::types::{Expiration, FromValue, Value};
use futures_util::future::try_join_all;
use lingxi_domain::UserId;

use self::connection::Connection;
pub use self::guarded::Guarded;
use self::keys::Keys;
pub use self::options::Options;
use self::scripts::Scripts;
use crate::{Backoff, Cache, Decision, Rate, Result};

/// Users in one script call: Redis does nothing else meanwhile, and Lua unpacks a few thousand at most.
const CHUNK: usize = 1000;

/// Shared by all nodes that use the same Redis and namespace. Each call takes half a second at most.
pub struct RedisCache {
    connection: Connection,
    keys: Keys,
    scripts: Scripts,
}

impl RedisCache {
    /// Connects, tries what it will need, and reconnects by itself from then on.
    ///
    /// # Errors
    /// Each in one line: [`Error::Unavailable`](crate::Error::Unavailable) when it cannot be reached, else why it will
    /// not do.
    pub async fn connect(options: Options) -> Result<Self> {
        let cache = Self::new(options)?;
        cache.ensure().await?;
        Ok(cache)
    }

    /// Not connected yet: [`ensure`](Self::ensure) does that.
    fn new(options: Options) -> Result<Self> {
        Ok(Self {
            keys: Keys::new(&options.namespace),
            scripts: Scripts::new(),
            connection: Connection::new(options)?,
        })
    }

    /// Connects unless it is connected, judges the server, and tries that it may be written to.
    async fn ensure(&self) -> Result<()> {
        self.connection.ensure().await?;
        self.count("check", Duration::from_secs(1)).await?;
        self.online(&[0]).await?;
        Ok(())
    }

    /// Takes `wanted` tokens, or as many as there are if these are no fewer than `least`.
    async fn draw(&self, key: &str, rate: Rate, (wanted, least): (u32, u32)) -> Result<(u32, u64)> {
        let numbers = [rate.burst, wanted, least].map(|number| Value::from(i64::from(number)));
        let [burst, wanted, least] = numbers;
        let arguments = vec![burst, rate.refill().into(), wanted, least];
        let keys = [self.keys.bucket(key)];
        self.run(&self.scripts.take, &keys, arguments).await
    }

    async fn run<R: FromValue + Send>(
        &self,
        script: &Script,
        keys: &[String],
        arguments: Vec<Value>,
    ) -> Result<R> {
        let client = &self.connection.client;
        let call = script.evalsha_with_reload(client, keys.to_vec(), arguments);
        self.connection.ask(call).await
    }
}

#[async_trait]
impl Cache for RedisCache {
    async fn refresh_presence(&self, node: &str, users: &[UserId], ttl: Duration) -> Result<()> {
        let calls = users.chunks(CHUNK).map(|users| {
            let head = [node.into(), millis(ttl).into()];
            let arguments = head.into_iter().chain(texts(users)).collect();
            self.run::<()>(
                &self.scripts.refresh_presence,
                &self.keys.presence,
                arguments,
            )
        });
        try_join_all(calls).await.map(drop)
    }

    async fn clear_presence(&self, node: &str, users: &[UserId]) -> Result<()> {
        let calls = users.chunks(CHUNK).map(|users| {
            let arguments = std::iter::once(node.into()).chain(texts(users)).collect();
            self.run::<()>(&self.scripts.clear_presence, &self.keys.presence, arguments)
        });
        try_join_all(calls).await.map(drop)
    }

    async fn online(&self, users: &[UserId]) -> Result<Vec<bool>> {
        let calls = users.chunks(CHUNK).map(|users| {
            let arguments = texts(users).collect();
            self.run::<String>(&self.scripts.online, &self.keys.presence[..1], arguments)
        });
        let digits = try_join_all(calls).await?;
        let digits = digits.iter().flat_map(|digits| digits.bytes());
        Ok(digits.map(|digit| digit == b'1').collect())
    }

    async fn online_count(&self) -> Result<u64> {
        let keys = &self.keys.presence[..1];
        self.run(&self.scripts.online_count, keys, Vec::new()).await
    }

    async fn take(&self, key: &str, rate: Rate, cost: u32) -> Result<Decision> {
        let (_, wait) = self.draw(key, rate, (cost, cost)).await?;
        Ok(match wait {
            0 => Decision::Allowed,
            wait => Decision::RetryAfter(Duration::from_millis(wait)),
        })
    }

    async fn take_upto(&self, key: &str, rate: Rate, want: u32) -> Result<u32> {
        let (taken, _) = self.draw(key, rate, (want, 0)).await?;
        Ok(taken)
    }

    async fn attempt(&self, key: &str, backoff: Backoff) -> Result<Decision> {
        let keys = [self.keys.attempts(key)];
        let times = [backoff.first, backoff.longest, backoff.memory].map(millis);
        let arguments = std::iter::once(i64::from(backoff.free)).chain(times);
        let arguments = arguments.map(Value::from).collect();
        let wait: u64 = self.run(&self.scripts.attempt, &keys, arguments).await?;
        Ok(match wait {
            0 => Decision::Allowed,
            wait => Decision::RetryAfter(Duration::from_millis(wait)),
        })
    }

    async fn release(&self, key: &str) -> Result<()> {
        let keys = [self.keys.attempts(key)];
        let done: Result<i64> = self.run(&self.scripts.release, &keys, Vec::new()).await;
        done.map(drop)
    }

    async fn count(&self, key: &str, window: Duration) -> Result<u32> {
        let keys = [self.keys.counter(key)];
        let arguments = vec![millis(window).into()];
        self.run(&self.scripts.count, &keys, arguments).await
    }

    async fn counted(&self, key: &str) -> Result<u32> {
        let call = self.connection.client.get(self.keys.counter(key));
        let count: Option<u32> = self.connection.ask(call).await?;
        Ok(count.unwrap_or(0))
    }

    async fn get(&self, key: &str) -> Result<Option<String>> {
        let call = self.connection.client.get(self.keys.value(key));
        self.connection.ask(call).await
    }

    async fn put(&self, key: &str, value: &str, ttl: Duration) -> Result<()> {
        let key = self.keys.value(key);
        let expiry = Some(Expiration::PX(millis(ttl)));
        let call = self.connection.client.set(key, value, expiry, None, false);
        self.connection.ask(call).await
    }

    async fn forget(&self, key: &str) -> Result<()> {
        // A command each: on a cluster the keys may lie apart.
        let client = &self.connection.client;
        let keys = [
            self.keys.value(key),
            self.keys.counter(key),
            self.keys.attempts(key),
        ];
        let calls = keys.map(|key| self.connection.ask::<()>(client.del(key)));
        try_join_all(calls).await.map(drop)
    }
}

/// Redis refuses a time to live of 0.
fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis())
        .unwrap_or(i64::MAX / 2)
        .max(1)
}

fn texts(users: &[UserId]) -> impl Iterator<Item = Value> {
    users.iter().map(|user| Value::from(user.to_string()))
}
