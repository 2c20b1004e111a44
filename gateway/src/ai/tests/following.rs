//! Subscribers: what was missed is asked for again, whatever becomes of the worker.

use std::time::Duration;

use lingxi_domain::replay::StampedEvent;
use lingxi_domain::run::RunEvent;
use lingxi_proto::bus::Watcher;
use serde_json::{Value, json};

use super::world::World;
use super::{chunk, content, done, id, next, request};
use crate::ai::subscriber::Subscriber;

/// A subscriber of a new run, its watcher, and the run.
async fn asked(world: &World) -> (Subscriber, Watcher, String) {
    let token = world.user("alice").await;
    drop(world.ask(&token, json!({"message": "hello"})).await);
    let (run, _) = world.take().await;
    let state = world.state();
    let who = state.im.accounts().authenticate(&token).await.unwrap();
    let row = state.im.runs().find(who.user_id, &run).await.unwrap();
    let place = state
        .subscribers
        .register(&who, |_| Ok::<_, ()>(()))
        .unwrap();
    // As it was created: it is claimed by now.
    let row = lingxi_store::Run {
        generation: 1,
        ..row
    };
    let (mut subscriber, watcher) = Subscriber::asking(state, &row, place);
    assert_eq!(next(&mut subscriber).await.unwrap().id, id(1, 1));
    (subscriber, watcher, run)
}

#[tokio::test]
async fn a_run_that_ends_unseen_is_told_from_the_store() {
    let world = World::new().await;
    let (mut subscriber, watcher, run) = asked(&world).await;
    world.send(&watcher, 1, &[chunk(1, 4, "abc")]).await;
    assert_eq!(content(&next(&mut subscriber).await.unwrap()), "abc");
    // The rest never comes over the stream: the worker committed and died.
    world
        .finish(&run, 1, 1, &[chunk(1, 7, "abcdef"), done(1, 8)])
        .await;
    assert_eq!(content(&next(&mut subscriber).await.unwrap()), "def");
    assert_eq!(next(&mut subscriber).await.unwrap().id, id(1, 8));
    assert_eq!(next(&mut subscriber).await, None);
}

#[tokio::test]
async fn what_is_lost_on_the_way_is_asked_for_again() {
    let world = World::new().await;
    let (mut subscriber, watcher, run) = asked(&world).await;
    let (_listening, mut requests) = world.listen(&run).await;
    world.send(&watcher, 1, &[chunk(1, 4, "abc")]).await;
    assert_eq!(content(&next(&mut subscriber).await.unwrap()), "abc");
    // "def" is lost; what follows it does not fit.
    world.send(&watcher, 1, &[chunk(1, 10, "ghi")]).await;
    let asking = tokio::spawn(async move { (next(&mut subscriber).await, subscriber) });
    let second = request(&mut requests).await;
    assert_eq!(
        (second.after, second.session),
        (id(1, 4).to_i64(), watcher.session + 1)
    );
    // The first request's events do not count any more, whatever they are.
    world.send(&watcher, 1, &[chunk(1, 7, "XXX")]).await;
    world
        .send(&second, 1, &[chunk(1, 10, "defghi"), done(1, 11)])
        .await;
    let (told, mut subscriber) = asking.await.unwrap();
    assert_eq!(content(&told.unwrap()), "defghi");
    assert_eq!(next(&mut subscriber).await.unwrap().id, id(1, 11));
    assert_eq!(next(&mut subscriber).await, None);
}

#[tokio::test]
async fn a_worker_that_takes_over_is_asked_from_where_the_client_stands() {
    let world = World::new().await;
    let (mut subscriber, watcher, run) = asked(&world).await;
    let (_listening, mut requests) = world.listen(&run).await;
    world.send(&watcher, 1, &[chunk(1, 4, "abc")]).await;
    next(&mut subscriber).await.unwrap();
    // Another worker got the job again: it begins behind the first event, in a generation of its own.
    world.send(&watcher, 2, &[chunk(2, 3, "no")]).await;
    let asking = tokio::spawn(async move { (next(&mut subscriber).await, subscriber) });
    let second = request(&mut requests).await;
    assert_eq!(second.after, id(1, 4).to_i64());
    let reset = RunEvent::Reset {
        reason: "taken_over".into(),
        after: id(1, 1).to_i64(),
    };
    let reset = StampedEvent {
        id: id(2, 1),
        event: reset,
    };
    world
        .send(&second, 2, &[reset, chunk(2, 3, "no"), done(2, 4)])
        .await;
    let (told, mut subscriber) = asking.await.unwrap();
    let told: Value = serde_json::from_slice(&told.unwrap().json).unwrap();
    assert_eq!(
        (&told["type"], &told["after"]),
        (&json!("reset"), &json!(id(1, 1).to_i64()))
    );
    assert_eq!(content(&next(&mut subscriber).await.unwrap()), "no");
    // The first one wakes up and goes on: nobody listens to it.
    world.send(&second, 1, &[chunk(1, 9, "defgh")]).await;
    assert_eq!(next(&mut subscriber).await.unwrap().id, id(2, 4));
}

#[tokio::test]
async fn a_client_that_was_too_slow_goes_on_where_it_stands() {
    let world = World::new().await;
    let (mut subscriber, watcher, run) = asked(&world).await;
    let (_listening, mut requests) = world.listen(&run).await;
    // Far more than may wait, and nobody takes it.
    let text = "x".repeat(8_000);
    let mut at = 1;
    for _ in 0..200 {
        at += 8_000;
        world.send(&watcher, 1, &[chunk(1, at, &text)]).await;
    }
    // The worker is told that nothing more is wanted.
    let gone = request(&mut requests).await;
    assert!(gone.gone && gone.sink_id == watcher.sink_id, "{gone:?}");
    // Read again, it asks for everything behind what its client has: nothing was lost.
    let asking = tokio::spawn(async move { (next(&mut subscriber).await, subscriber) });
    let second = request(&mut requests).await;
    assert_eq!((second.after, second.gone), (id(1, 1).to_i64(), false));
    let whole = "y".repeat(100);
    world
        .send(&second, 1, &[chunk(1, 101, &whole), done(1, 102)])
        .await;
    let (told, mut subscriber) = asking.await.unwrap();
    assert_eq!(content(&told.unwrap()), whole);
    assert_eq!(next(&mut subscriber).await.unwrap().id, id(1, 102));
    assert_eq!(next(&mut subscriber).await, None);
    drop(subscriber);
    assert!(request(&mut requests).await.gone, "its end is told, too");
}

#[tokio::test]
async fn a_worker_that_never_fits_is_asked_ever_more_rarely() {
    let world = World::new().await;
    let (mut subscriber, watcher, run) = asked(&world).await;
    let (_listening, mut requests) = world.listen(&run).await;
    let reading = tokio::spawn(async move { subscriber.next().await });
    let begun = tokio::time::Instant::now();
    let mut asked = watcher;
    let mut times = 0;
    while begun.elapsed() < Duration::from_secs(2) {
        // It answers each request with what does not fit, at once and many times.
        let wrong: Vec<_> = (0..20).map(|n| chunk(1, 500 + n, "wrong")).collect();
        world.send(&asked, 1, &wrong).await;
        let left = Duration::from_secs(2).saturating_sub(begun.elapsed());
        match tokio::time::timeout(left, requests.recv()).await {
            Ok(next) => asked = next.unwrap(),
            Err(_) => break,
        }
        times += 1;
    }
    assert!((2..=8).contains(&times), "asked {times} times");
    reading.abort();
}
