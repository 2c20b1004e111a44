//! Who is online.

use super::{LONG, SHORT, until};
use crate::SharedCache;

pub(super) async fn run(cache: &SharedCache) {
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
