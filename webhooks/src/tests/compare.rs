//! What is said is found although nobody hints at it.

use super::world::{WITHIN, World, next, server, taken};

#[tokio::test]
async fn what_nobody_hinted_at_is_told_all_the_same() {
    let (url, mut posted) = server(taken).await;
    let world = World::new(&url).await;
    let alice = world.user("alice").await;
    let shutdown = world.deliver().await;
    // The second one comes long after deliveries began.
    for (seq, text) in [(1, "first"), (2, "second"), (3, "third")] {
        world.say(alice, seq, text).await;
        assert!(next(&mut posted).await.text.contains(text));
    }
    shutdown.trigger();
    shutdown.wait_all(WITHIN).await.unwrap();
    // What was told is written, and nobody has the webhook any more.
    let store = &world.store;
    let due = store.webhook_due(world.robot, "", 9).await.unwrap();
    assert!(due.lanes.is_empty());
    assert_eq!(
        store.take_webhooks("next", 1_000, 9, false).await.unwrap(),
        1
    );
}
