//! What every cache must do, run against each implementation.

#![allow(
    clippy::unwrap_used,
    reason = "a conformance suite is a test: it panics where a promise is broken"
)]

use std::time::Duration;

use crate::{Decision, Rate, SharedCache};

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);

/// Polls until `check` holds; panics after five seconds.
async fn until<F: AsyncFn() -> bool>(what: &str, check: F) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(5);
    while !check().await {
        assert!(
            tokio::time::Instant::now() < deadline,
            "still not so after 5 s: {what}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Runs the whole suite against an empty cache.
///
/// # Panics
/// Where a promise is broken.
pub async fn run(cache: SharedCache) {
    presence(&cache).await;
    buckets(&cache).await;
    counters(&cache).await;
    values(&cache).await;
}

async fn presence(cache: &SharedCache) {
    cache.refresh_presence("a", &[1, 2], LONG).await.unwrap();
    cache.refresh_presence("a", &[3], SHORT).await.unwrap();
    assert_eq!(cache.online(&[2, 9, 1]).await.unwrap(), [true, false, true]);
    until("presence runs out", async || {
        !cache.online(&[3]).await.unwrap()[0]
    })
    .await;
    cache.clear_presence("a", &[1]).await.unwrap();
    assert_eq!(cache.online(&[1, 2]).await.unwrap(), [false, true]);
    assert_eq!(cache.online_count().await.unwrap(), 1);
    assert!(cache.online(&[]).await.unwrap().is_empty());
    cache.refresh_presence("a", &[], LONG).await.unwrap();
    cache.clear_presence("a", &[]).await.unwrap();
    presence_at_two_nodes(cache).await;
    presence_of_many(cache).await;
}

/// What one node says of a user does not touch what another one said.
async fn presence_at_two_nodes(cache: &SharedCache) {
    let online = async |user| cache.online(&[user]).await.unwrap()[0];
    cache.refresh_presence("old", &[5], LONG).await.unwrap();
    cache.refresh_presence("new", &[5], LONG).await.unwrap();
    assert_eq!(cache.online_count().await.unwrap(), 2, "5 counts once");
    cache.clear_presence("old", &[5]).await.unwrap();
    assert!(online(5).await, "the newer connection is elsewhere");
    cache.clear_presence("old", &[5]).await.unwrap();
    assert!(online(5).await, "leaving twice is leaving once");
    cache.clear_presence("new", &[5]).await.unwrap();
    assert!(!online(5).await, "nobody holds 5 any more");

    cache.refresh_presence("long", &[6], LONG).await.unwrap();
    cache.refresh_presence("short", &[6], SHORT).await.unwrap();
    assert!(online(6).await);
    cache.clear_presence("long", &[6]).await.unwrap();
    until("what is left of 6 runs out in its own time", async || {
        !online(6).await
    })
    .await;
    cache.refresh_presence("a", &[6], LONG).await.unwrap();
    cache.refresh_presence("a", &[6], SHORT).await.unwrap();
    until("a node's last word holds", async || !online(6).await).await;
    cache.refresh_presence("long", &[7], LONG).await.unwrap();
    cache.refresh_presence("short", &[7], SHORT).await.unwrap();
    cache.refresh_presence("short", &[8], SHORT).await.unwrap();
    until("the short ones run out", async || !online(8).await).await;
    assert!(online(7).await, "a shorter stay ends, the longer goes on");
    cache.clear_presence("long", &[7]).await.unwrap();
    assert!(!online(7).await, "the shorter one had ended");
}

async fn presence_of_many(cache: &SharedCache) {
    let many: Vec<i64> = (10_000..15_000).collect();
    cache.refresh_presence("a", &many, LONG).await.unwrap();
    let mut asked = many.clone();
    asked.insert(2500, 9);
    let online = cache.online(&asked).await.unwrap();
    assert_eq!(online.len(), asked.len());
    assert!(
        online.iter().enumerate().all(|(i, &on)| on == (i != 2500)),
        "in the order asked"
    );
    cache.clear_presence("a", &many).await.unwrap();
    assert!(!cache.online(&many).await.unwrap().contains(&true));
}

async fn buckets(cache: &SharedCache) {
    let rate = Rate {
        burst: 3,
        per_second: 0.01,
    };
    for _ in 0..3 {
        assert_eq!(
            cache.take_token("b", rate).await.unwrap(),
            Decision::Allowed
        );
    }
    let Decision::RetryAfter(wait) = cache.take_token("b", rate).await.unwrap() else {
        panic!("a fourth token out of a bucket of three");
    };
    assert!(
        wait > Duration::from_secs(50) && wait <= Duration::from_secs(100),
        "{wait:?}"
    );
    assert_eq!(
        cache.take_token("other", rate).await.unwrap(),
        Decision::Allowed,
        "buckets are apart"
    );
    let quick = Rate {
        burst: 1,
        per_second: 50.0,
    };
    assert_eq!(
        cache.take_token("q", quick).await.unwrap(),
        Decision::Allowed
    );
    until("a bucket refills", async || {
        cache.take_token("q", quick).await.unwrap() == Decision::Allowed
    })
    .await;
}

async fn counters(cache: &SharedCache) {
    assert_eq!(cache.counted("c").await.unwrap(), 0);
    assert_eq!(cache.count("c", LONG).await.unwrap(), 1);
    assert_eq!(cache.count("c", LONG).await.unwrap(), 2);
    assert_eq!(cache.counted("c").await.unwrap(), 2);
    cache.forget("c").await.unwrap();
    assert_eq!(cache.counted("c").await.unwrap(), 0);
    let window = Duration::from_millis(200);
    cache.count("w", window).await.unwrap();
    until("a window ends though counting goes on", async || {
        cache.count("w", window).await.unwrap() == 1
    })
    .await;
}

async fn values(cache: &SharedCache) {
    assert_eq!(cache.get("k").await.unwrap(), None);
    cache.put("k", "v", LONG).await.unwrap();
    assert_eq!(cache.get("k").await.unwrap().as_deref(), Some("v"));
    cache.put("k", "灵犀 😀", LONG).await.unwrap();
    assert_eq!(cache.get("k").await.unwrap().as_deref(), Some("灵犀 😀"));
    cache.forget("k").await.unwrap();
    assert_eq!(cache.get("k").await.unwrap(), None);
    cache.put("s", "v", SHORT).await.unwrap();
    until("a value runs out", async || {
        cache.get("s").await.unwrap().is_none()
    })
    .await;
}
