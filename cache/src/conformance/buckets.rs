//! Token buckets.

use std::time::Duration;

use super::until;
use crate::{Decision, Rate, SharedCache};

/// Hardly anything comes back while the suite runs.
const SLOW: Rate = Rate {
    burst: 10,
    per_second: 0.01,
};

pub(super) async fn run(cache: &SharedCache) {
    one_at_a_time(cache).await;
    several_at_once(cache).await;
    more_than_there_can_be(cache).await;
    as_many_as_there_are(cache).await;
    many_keys(cache).await;
}

async fn take(cache: &SharedCache, key: &str, rate: Rate, cost: u32) -> Decision {
    cache.take(key, rate, cost).await.unwrap()
}

async fn wait(cache: &SharedCache, key: &str, rate: Rate, cost: u32) -> Duration {
    match take(cache, key, rate, cost).await {
        Decision::RetryAfter(wait) => wait,
        Decision::Allowed => panic!("{key}: {cost} tokens out of a bucket that has fewer"),
    }
}

async fn one_at_a_time(cache: &SharedCache) {
    let rate = Rate { burst: 3, ..SLOW };
    for _ in 0..3 {
        assert_eq!(take(cache, "b", rate, 1).await, Decision::Allowed);
    }
    let first = wait(cache, "b", rate, 1).await;
    assert!(
        first > Duration::from_secs(50) && first <= Duration::from_secs(100),
        "{first:?}"
    );
    assert!(
        wait(cache, "b", rate, 1).await <= first,
        "asking costs nothing"
    );
    assert_eq!(
        take(cache, "other", rate, 1).await,
        Decision::Allowed,
        "buckets are apart"
    );
    let quick = Rate {
        burst: 1,
        per_second: 50.0,
    };
    assert_eq!(take(cache, "q", quick, 1).await, Decision::Allowed);
    until("a bucket refills", async || {
        take(cache, "q", quick, 1).await == Decision::Allowed
    })
    .await;
}

async fn several_at_once(cache: &SharedCache) {
    assert_eq!(take(cache, "s", SLOW, 7).await, Decision::Allowed);
    let short = wait(cache, "s", SLOW, 4).await;
    assert!(
        short > Duration::from_secs(50) && short <= Duration::from_secs(100),
        "one token is short: {short:?}"
    );
    assert_eq!(
        take(cache, "s", SLOW, 3).await,
        Decision::Allowed,
        "what was refused took nothing"
    );
    assert_eq!(
        take(cache, "s", SLOW, 0).await,
        Decision::Allowed,
        "what costs nothing is always there"
    );
}

async fn more_than_there_can_be(cache: &SharedCache) {
    let day = Duration::from_secs(86_400);
    for (key, rate, cost) in [
        ("over", SLOW, 11),
        ("far over", SLOW, u32::MAX),
        (
            "never",
            Rate {
                burst: 0,
                per_second: 0.0,
            },
            1,
        ),
        (
            "odd",
            Rate {
                burst: 0,
                per_second: f64::NAN,
            },
            1,
        ),
    ] {
        for _ in 0..2 {
            let wait = wait(cache, key, rate, cost).await;
            assert!(wait > Duration::ZERO && wait <= day, "{key}: {wait:?}");
        }
    }
    assert_eq!(
        take(cache, "over", SLOW, 10).await,
        Decision::Allowed,
        "the bucket is still full"
    );
}

async fn as_many_as_there_are(cache: &SharedCache) {
    let upto = async |key, want| cache.take_upto(key, SLOW, want).await.unwrap();
    assert_eq!(upto("u", 0).await, 0);
    assert_eq!(upto("u", 4).await, 4);
    assert_eq!(upto("u", 9).await, 6, "the rest");
    assert_eq!(upto("u", 9).await, 0, "nothing is left");
    assert_eq!(upto("u2", u32::MAX).await, 10, "no more than the burst");
    wait(cache, "u", SLOW, 1).await;
    let quick = Rate {
        burst: 5,
        per_second: 50.0,
    };
    assert_eq!(cache.take_upto("u3", quick, 5).await.unwrap(), 5);
    let mut got = 0;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(5);
    while got < 5 {
        assert!(
            tokio::time::Instant::now() < deadline,
            "a bucket refills for slices, too: {got}"
        );
        got += cache.take_upto("u3", quick, 5 - got).await.unwrap();
        tokio::task::yield_now().await;
    }
}

/// A limit of one does not wear another's down.
async fn many_keys(cache: &SharedCache) {
    const KEYS: u32 = 3000;
    for key in 0..KEYS {
        let key = format!("many {key}");
        assert_eq!(
            take(cache, &key, SLOW, 10).await,
            Decision::Allowed,
            "{key}"
        );
    }
    for key in (0..KEYS).step_by(97) {
        wait(cache, &format!("many {key}"), SLOW, 1).await;
    }
}
