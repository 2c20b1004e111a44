//! SIGTERM: clients are told when to come back, and nothing is lost.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::Mode;

behaviours!(
    clients_are_told_and_everything_is_kept,
    what_was_acknowledged_on_the_way_out_is_kept,
    who_comes_while_it_drains_is_sent_away,
);

async fn clients_are_told_and_everything_is_kept(mode: Mode) {
    let mut lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let group = alice.create_group("g").await;
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    a.say("bob", "m1", "before").await;
    let first = a.stored("m1").await;

    let start = Instant::now();
    lx.sigterm();
    for ws in [&mut a, &mut b] {
        let event = ws.event("drain").await;
        let wait = event["reconnect_in_ms"].as_u64().expect("reconnect_in_ms");
        assert!(wait <= 60_000, "{event}");
        assert_eq!(ws.closed().await.code, Some(1012));
    }
    let status = lx.exit().await;
    let took = start.elapsed();
    assert_eq!(status.code(), Some(0), "{status}");
    println!("drained in {took:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");

    lx.restart().await;
    // The same tokens, the same data.
    let mut a = alice.connect().await;
    a.say("bob", "m1", "before").await;
    assert_eq!(a.stored("m1").await, first);
    a.say("bob", "m2", "after").await;
    assert_eq!(a.stored("m2").await.1, 2);
    assert_eq!(bob.log("username=alice").await.len(), 2);
    assert_eq!(
        alice
            .get(&format!("group/info?group_id={group}"))
            .await
            .ok()["name"],
        "g"
    );
}

async fn what_was_acknowledged_on_the_way_out_is_kept(mode: Mode) {
    let mut lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut a = alice.connect().await;
    for number in 0..100 {
        a.say("bob", &format!("m{number}"), &format!("{number}"))
            .await;
    }
    a.stored("m0").await;
    lx.sigterm();
    a.closed().await;
    let acked: Vec<_> = a
        .drain()
        .into_iter()
        .filter(|frame| frame["type"] == 3 && frame["status"] != "failed")
        .collect();
    lx.exit().await;
    lx.restart().await;
    let log = bob.log("username=alice").await;
    for ack in &acked {
        let same = |entry: &&serde_json::Value| {
            entry["msg_id"] == ack["msg_id"] && entry["seq"] == ack["seq"]
        };
        assert_eq!(log.iter().filter(same).count(), 1, "{ack}");
    }
    assert!(
        log.iter()
            .enumerate()
            .all(|(at, entry)| entry["seq"] == at + 1),
        "{log:?}"
    );
}

async fn who_comes_while_it_drains_is_sent_away(mode: Mode) {
    let lx = mode.start().await;
    // On one gateway: it is the one that cannot end yet.
    let (alice, bob, carol) = (
        lx.user_at(0, "alice").await,
        lx.user_at(0, "bob").await,
        lx.user_at(0, "carol").await,
    );
    // Never read, so it does not answer the close, and the drain waits for it a while.
    let _deaf = bob.link().open().await.expect("a socket");
    let mut a = alice.connect().await;
    // He is there once something is delivered to him.
    for number in 0.. {
        let msg_id = format!("m{number}");
        a.say("bob", &msg_id, "x").await;
        if a.ack(&msg_id).await["status"] == "delivered" {
            break;
        }
    }
    lx.sigterm();
    a.event("drain").await;
    let mut late = carol.link().open().await.expect("a socket");
    let mut code = None;
    while let Some(Ok(message)) = late.next().await {
        if let Message::Close(Some(frame)) = message {
            code = Some(u16::from(frame.code));
        }
    }
    assert_eq!(code, Some(1012));
}
