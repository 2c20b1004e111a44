//! How much is done for one webhook at a time, and how often.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use lingxi_domain::now_ms;
use lingxi_domain::role::AccountRole;
use lingxi_store::NewUser;

use super::world::{WITHIN, World, next, server, taken};

fn slow_for_bob(text: &str) -> (u16, Duration) {
    let is_bobs = text.contains("from bob");
    (204, Duration::from_millis(if is_bobs { 900 } else { 0 }))
}

#[tokio::test]
async fn a_conversation_that_waits_for_its_turn_is_not_told_again() {
    let (url, mut posted) = server(slow_for_bob).await;
    let mut world = World::new(&url).await;
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    // More than is told in one turn, and another conversation whose turn is next: what was told is written meanwhile.
    for seq in 1..=40 {
        world
            .say(alice, seq, &format!("number {seq} from alice"))
            .await;
    }
    world.say(bob, 1, "number 1 from bob").await;
    world.webhooks.per_bot = 1;
    let shutdown = world.deliver().await;
    let mut told = HashSet::new();
    for _ in 1..=41 {
        let text = next(&mut posted).await.text;
        let body = text.split("\r\n\r\n").nth(1).unwrap();
        assert!(told.insert(body.to_owned()), "told again: {body}");
    }
    shutdown.trigger();
    shutdown.wait_all(WITHIN).await.unwrap();
}

fn failing(_: &str) -> (u16, Duration) {
    (500, Duration::from_millis(100))
}

#[tokio::test]
async fn a_server_that_fails_is_asked_one_thing_at_a_time() {
    let (url, mut posted) = server(failing).await;
    let mut world = World::new(&url).await;
    for user in 0..12 {
        let user = world.user(&format!("user{user}")).await;
        world.say(user, 1, "hello").await;
    }
    // Conversations wait for nothing: each goes on with its next message at once.
    world.webhooks.hold_attempts = 0;
    let shutdown = world.deliver().await;
    for number in 0..12 {
        let at_once = next(&mut posted).await.at_once;
        // The first ones are under way before any has failed.
        let most = if number < 4 { 4 } else { 1 };
        assert!(at_once <= most, "request {number}: {at_once} at once");
    }
    shutdown.trigger();
    shutdown.wait_all(WITHIN).await.unwrap();
}

#[tokio::test]
async fn however_many_webhooks_there_are_all_are_taken_within_seconds() {
    let (url, mut posted) = server(taken).await;
    let mut world = World::new(&url).await;
    let alice = world.user("alice").await;
    for number in 0..1_000 {
        let name = format!("robot{number}");
        let new = NewUser {
            username: &name,
            username_key: &name,
            password_hash: "!",
            nickname: &name,
            role: AccountRole::Bot,
            created_at: now_ms(),
        };
        let made = world.store.create_bot(&new, 10_000).await.unwrap();
        world.robot = made.unwrap();
        let secret = format!("whsec_{}", "A".repeat(44));
        let set = world.store.set_webhook(world.robot, &url, &secret);
        assert!(set.await.unwrap());
    }
    world.say(alice, 1, "to the last one").await;
    let begin = Instant::now();
    let shutdown = world.deliver().await;
    next(&mut posted).await;
    assert!(begin.elapsed() < Duration::from_secs(5));
    shutdown.trigger();
    shutdown.wait_all(WITHIN).await.unwrap();
}
