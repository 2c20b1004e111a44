//! Attempts that may fail.

use std::time::Duration;

use super::{LONG, until};
use crate::{Backoff, Decision, SharedCache};

const SLOW: Backoff = Backoff {
    free: 3,
    first: Duration::from_secs(20),
    longest: Duration::from_secs(30),
    memory: LONG,
};

pub(super) async fn run(cache: &SharedCache) {
    counted_before_they_are_made(cache).await;
    longer_each_time(cache).await;
    forgotten(cache).await;
    not_made(cache).await;
}

async fn wait(cache: &SharedCache, key: &str, backoff: Backoff) -> Option<Duration> {
    match cache.attempt(key, backoff).await.unwrap() {
        Decision::Allowed => None,
        Decision::RetryAfter(wait) => Some(wait),
    }
}

async fn counted_before_they_are_made(cache: &SharedCache) {
    let asked = (0..20).map(|_| wait(cache, "a", SLOW));
    let answers = futures_util::future::join_all(asked).await;
    let allowed = answers.iter().filter(|wait| wait.is_none()).count();
    assert_eq!(allowed, 3, "however many come at once");
    for wait in answers.into_iter().flatten() {
        assert!(
            wait > Duration::from_secs(10) && wait <= SLOW.first,
            "{wait:?}"
        );
    }
    assert_eq!(wait(cache, "other", SLOW).await, None, "keys are apart");
    cache.forget("a").await.unwrap();
    for _ in 0..3 {
        assert_eq!(wait(cache, "a", SLOW).await, None, "one that succeeded");
    }
    assert!(wait(cache, "a", SLOW).await.is_some());
}

async fn not_made(cache: &SharedCache) {
    cache.release("n").await.unwrap();
    for _ in 0..3 {
        assert_eq!(wait(cache, "n", SLOW).await, None);
    }
    assert!(wait(cache, "n", SLOW).await.is_some());
    cache.release("n").await.unwrap();
    assert_eq!(wait(cache, "n", SLOW).await, None, "one was not made");
    let again = wait(cache, "n", SLOW).await.unwrap();
    assert!(again <= SLOW.first, "the others still count: {again:?}");
    for _ in 0..5 {
        cache.release("n").await.unwrap();
    }
    for _ in 0..3 {
        assert_eq!(wait(cache, "n", SLOW).await, None, "none was made");
    }
}

async fn longer_each_time(cache: &SharedCache) {
    let quick = Backoff {
        free: 1,
        first: Duration::from_millis(100),
        longest: Duration::from_millis(400),
        memory: LONG,
    };
    let mut started = tokio::time::Instant::now();
    assert_eq!(wait(cache, "l", quick).await, None);
    for least in [100, 200, 400, 400] {
        until("the next attempt", async || {
            wait(cache, "l", quick).await.is_none()
        })
        .await;
        let took = started.elapsed();
        // The cache's clock is another one, and counts whole milliseconds.
        let least = Duration::from_millis(least - 10);
        assert!(took >= least, "{took:?} < {least:?}");
        started = tokio::time::Instant::now();
    }
}

async fn forgotten(cache: &SharedCache) {
    let short = Backoff {
        free: 1,
        first: Duration::from_millis(100),
        longest: Duration::from_millis(300),
        memory: Duration::from_millis(100),
    };
    for _ in 0..3 {
        until("the next attempt", async || {
            wait(cache, "f", short).await.is_none()
        })
        .await;
    }
    // By now each next one waits 300 ms; after a while without any the count begins again.
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(wait(cache, "f", short).await, None);
    let first = wait(cache, "f", short).await.unwrap();
    assert!(first <= short.first, "{first:?}");
}
