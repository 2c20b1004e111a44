//! Too much of something: refused, and said so.

use std::collections::BTreeSet;

use std::time::{Duration, Instant};

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::Mode;

behaviours!(
    a_flood_is_answered_to_the_last_message,
    every_frame_costs_something,
    a_search_costs_more_than_a_request,
);

async fn a_flood_is_answered_to_the_last_message(mode: Mode) {
    const COUNT: usize = 2000;
    let lx = mode.with("LINGXI__RATE_LIMITS", "on").start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut a = alice.connect().await;
    for number in 0..COUNT {
        a.say("bob", &format!("m{number}"), "spam").await;
    }
    let (mut stored, mut refused) = (BTreeSet::new(), 0);
    for number in 0..COUNT {
        let ack = a.ack(&format!("m{number}")).await;
        if ack["status"] == "failed" {
            assert_eq!(ack["reason"], "rate_limited", "{ack}");
            refused += 1;
        } else {
            stored.insert(ack["seq"].as_u64().expect("seq"));
        }
    }
    println!("{} stored, {refused} refused", stored.len());
    assert!(refused > 0, "there is no limit");
    assert!(!stored.is_empty(), "nothing got through");
    assert!(
        stored.iter().copied().eq(1..=stored.len() as u64),
        "refusals leave no holes"
    );
    assert_eq!(bob.log("username=alice").await.len(), stored.len());
    // Each user has a bucket of their own.
    let mut b = bob.connect().await;
    b.say("alice", "m1", "slowly").await;
    b.stored("m1").await;
}

async fn every_frame_costs_something(mode: Mode) {
    let lx = mode.with("LINGXI__RATE_LIMITS", "on").start().await;
    lx.user("bob").await;
    let kinds: [(&str, Message); 5] = [
        ("nonsense", Message::text("nonsense")),
        ("binary", Message::binary(vec![1, 2, 3])),
        ("unknown", Message::text(r#"{"type":99}"#)),
        ("sync", Message::text(r#"{"type":7,"cursors":{}}"#)),
        ("heartbeat", Message::text(r#"{"type":1}"#)),
    ];
    for (name, frame) in kinds {
        let alice = lx.user(name).await;
        let mut ws = alice.connect().await;
        for _ in 0..600 {
            ws.send_raw(frame.clone()).await;
        }
        ws.expect("a refusal", |f| f["reason"] == "rate_limited")
            .await;
        // Messages are counted apart, and the socket works.
        ws.say("bob", "m1", "hi").await;
        ws.stored("m1").await;
    }
    // Pings are answered by the library; too many are read more slowly.
    let mut ws = lx.user("pinger").await.connect().await;
    let start = Instant::now();
    for _ in 0..2000 {
        ws.send_raw(Message::Ping("x".into())).await;
    }
    ws.send(json!({"type": 2, "msg_id": "m1", "to": "bob", "content": "hi"}))
        .await;
    ws.stored("m1").await;
    let took = start.elapsed();
    println!("2000 Pings took {took:?}");
    assert!(took > Duration::from_secs(1), "{took:?}");
}

async fn a_search_costs_more_than_a_request(mode: Mode) {
    let lx = mode.with("LINGXI__RATE_LIMITS", "on").start().await;
    let alice = lx.user("alice").await;
    let begun = Instant::now();
    let mut answered = 0;
    loop {
        let answer = alice.get("message/search?keyword=tea").await;
        if answer.status == 429 {
            answer.fails(429, "rate_limited");
            break;
        }
        answer.ok();
        answered += 1;
    }
    // Sixty at once and twenty a second; each search is five.
    let most = (60.0 + 20.0 * begun.elapsed().as_secs_f64()) / 5.0;
    assert!(f64::from(answered) <= most + 1.0, "{answered} searches");
}
