//! Questions over HTTP, and the streams that answer them.

use std::time::Duration;

use axum::body::to_bytes;
use lingxi_domain::event_id::EventId;
use serde_json::json;

use super::world::World;
use super::{body, chunk, done, id};

#[tokio::test]
async fn a_question_is_committed_queued_and_streamed() {
    let world = World::new().await;
    let token = world.user("alice").await;
    let response = world
        .ask(&token, json!({"message": "hello", "idempotency_key": "k"}))
        .await;
    let (run, watcher) = world.take().await;
    let events = [chunk(1, 5, "你x"), done(1, 6)];
    world.send(&watcher, 1, &events).await;
    world.finish(&run, 1, 1, &events).await;
    let live = body(response).await;
    let ids: Vec<i64> = live.iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, [id(1, 1), id(1, 5), id(1, 6)].map(EventId::to_i64));
    assert_eq!(live[0].1, json!({"type": "run", "run_id": run}));
    assert_eq!(live[1].1["content"], "你x");
    // The same question again, and coming back to it, from every place.
    let again = world
        .ask(&token, json!({"message": "hello", "idempotency_key": "k"}))
        .await;
    assert_eq!(body(again).await, live);
    let path = format!("{run}/events");
    assert_eq!(body(world.get(&token, &path, None).await).await, live);
    assert_eq!(
        body(world.get(&token, &path, Some(&ids[1].to_string())).await).await,
        live[2..]
    );
    let by_query = format!("{path}?last_event_id={}", ids[0]);
    assert_eq!(
        body(world.get(&token, &by_query, None).await).await,
        live[1..]
    );
    let inside = id(1, 4).to_i64().to_string();
    let rest = body(world.get(&token, &path, Some(&inside)).await).await;
    assert_eq!((rest[0].0, &rest[0].1["content"]), (ids[1], &json!("x")));
    // Inside a character, beyond the end, in a generation that never was.
    for never in [id(1, 3), id(1, 7), id(2, 4), id(0, 4), id(1, 0)] {
        let never = never.to_i64().to_string();
        assert_eq!(
            world.get(&token, &path, Some(&never)).await.status(),
            400,
            "{never}"
        );
    }
    assert_eq!(
        body(world.get(&token, &path, Some(&ids[2].to_string())).await).await,
        []
    );
    // Not for others, and not with nonsense.
    let eve = world.user("eve").await;
    assert_eq!(world.get(&eve, &path, None).await.status(), 404);
    assert_eq!(world.get(&token, "none/events", None).await.status(), 404);
    assert_eq!(world.get("", &path, None).await.status(), 401);
    assert_eq!(world.get(&token, &path, Some("x")).await.status(), 400);
    let other = world
        .ask(&token, json!({"message": "other", "idempotency_key": "k"}))
        .await;
    assert_eq!(other.status(), 409);
    for (bad, status) in [
        (json!({"message": ""}), 400),
        (json!({"message": "x".repeat(17 * 1024)}), 413),
        (json!({"message": "x", "idempotency_key": ""}), 400),
        (
            json!({"message": "x", "idempotency_key": "k".repeat(129)}),
            400,
        ),
    ] {
        assert_eq!(
            world.ask(&token, bad.clone()).await.status(),
            status,
            "{bad}"
        );
    }
}

#[tokio::test]
async fn streams_end_with_the_token_that_opened_them() {
    let world = World::new().await;
    let token = world.user("alice").await;
    let response = world.ask(&token, json!({"message": "hello"})).await;
    assert_eq!(response.status(), 200);
    let state = world.state();
    let who = state.im.accounts().authenticate(&token).await.unwrap();
    let out = tokio::time::Instant::now();
    state.im.accounts().logout(&who).await.unwrap();
    let read = to_bytes(response.into_body(), usize::MAX);
    let read = tokio::time::timeout(Duration::from_secs(5), read).await;
    assert!(read.is_ok(), "the stream goes on");
    assert!(
        out.elapsed() < Duration::from_secs(1),
        "{:?}",
        out.elapsed()
    );
}
