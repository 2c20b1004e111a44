//! Counters and values.

use std::time::Duration;

use super::{LONG, SHORT, until};
use crate::SharedCache;

pub(super) async fn counters(cache: &SharedCache) {
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

pub(super) async fn values(cache: &SharedCache) {
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
