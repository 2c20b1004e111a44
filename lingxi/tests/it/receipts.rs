//! Read cursors: receipts over the WebSocket and over REST, and who hears of them.

use serde_json::{Value, json};

use crate::harness::{Deployment, Mode, User, Ws, until};

behaviours!(
    a_read_receipt_is_told_to_the_other,
    the_read_cursor_never_moves_back,
    reading_by_rest,
    a_group_is_read_quietly,
);

async fn ten_messages(mode: Mode) -> (Deployment, User, User, Ws, Ws, String) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    for number in 1..=10 {
        a.say("bob", &format!("m{number}"), &format!("{number}"))
            .await;
        a.stored(&format!("m{number}")).await;
    }
    let last = b.message("10").await;
    let key = last["conversation"].as_str().expect("a key").to_owned();
    (lx, alice, bob, a, b, key)
}

async fn unread(user: &User, key: &str) -> Value {
    user.conversation(key).await.expect("a row")["unread"].clone()
}

async fn a_read_receipt_is_told_to_the_other(mode: Mode) {
    let (_lx, alice, bob, mut a, mut b, key) = ten_messages(mode).await;
    assert_eq!(unread(&bob, &key).await, 10);
    assert_eq!(
        unread(&alice, &key).await,
        0,
        "what one wrote oneself is not unread"
    );
    b.send(json!({"type": 8, "conversation": key, "seq": 7, "kind": "read"}))
        .await;
    let event = a.event("read").await;
    assert_eq!(event["conversation"], *key);
    assert_eq!(event["from"], "bob");
    assert_eq!(event["seq"], 7);
    until("seven are read", async || unread(&bob, &key).await == 3).await;
    assert_eq!(bob.conversation(&key).await.expect("a row")["read_seq"], 7);
    // Delivered is not read.
    b.send(json!({"type": 8, "conversation": key, "seq": 10, "kind": "delivered"}))
        .await;
    b.alive().await;
    assert_eq!(unread(&bob, &key).await, 3);
    // A receipt past the head means the head.
    b.send(json!({"type": 8, "conversation": key, "seq": 9_999, "kind": "read"}))
        .await;
    until("everything is read", async || unread(&bob, &key).await == 0).await;
    assert_eq!(bob.conversation(&key).await.expect("a row")["read_seq"], 10);
    a.say("bob", "m11", "one more").await;
    a.stored("m11").await;
    assert_eq!(unread(&bob, &key).await, 1);
}

async fn the_read_cursor_never_moves_back(mode: Mode) {
    let (_lx, _alice, bob, mut a, mut b, key) = ten_messages(mode).await;
    b.send(json!({"type": 8, "conversation": key, "seq": 8, "kind": "read"}))
        .await;
    a.event("read").await;
    b.say("bob", "n1", "note").await;
    b.stored("n1").await;
    let own = b.message("note").await["conversation"].clone();
    b.send(json!({"type": 8, "conversation": key, "seq": 2, "kind": "read"}))
        .await;
    b.send(json!({"type": 8, "conversation": own, "seq": 1, "kind": "read"}))
        .await;
    // Receipts of one connection are taken in order: that before it was, too.
    while b.event("read").await["conversation"] != own {}
    let answer = bob
        .post("message/read", json!({"username": "alice", "seq": 3}))
        .await
        .ok();
    assert_eq!(answer["read_seq"], 8, "{answer}");
    b.send(json!({"type": 8, "conversation": key, "seq": 9, "kind": "read"}))
        .await;
    let event = a.event("read").await;
    assert_eq!(
        event["seq"], 9,
        "a cursor moved back, or alice was told that it did"
    );
    assert_eq!(unread(&bob, &key).await, 1);
}

async fn reading_by_rest(mode: Mode) {
    let (_lx, _alice, bob, mut a, _b, key) = ten_messages(mode).await;
    let read = async |body: Value| bob.post("message/read", body).await;
    let answer = read(json!({"username": "alice", "seq": 4})).await.ok();
    assert_eq!(
        (&answer["conversation"], &answer["read_seq"]),
        (&json!(key), &json!(4))
    );
    assert_eq!(a.event("read").await["seq"], 4);
    assert_eq!(unread(&bob, &key).await, 6);
    assert_eq!(
        read(json!({"conversation": key, "seq": 6})).await.ok()["read_seq"],
        6
    );
    assert_eq!(
        read(json!({"username": "alice"})).await.ok()["read_seq"],
        10,
        "the default is the head"
    );
    assert_eq!(unread(&bob, &key).await, 0);
    read(json!({})).await.fails(400, "invalid_request");
    read(json!({"username": "nobody"}))
        .await
        .fails(404, "user_not_found");
    read(json!({"username": "alice", "seq": -1}))
        .await
        .blames("seq");
}

async fn a_group_is_read_quietly(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let group = alice.create_group("g").await;
    bob.join(group).await.ok();
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    a.say_in(group, "m1", "hello").await;
    a.stored("m1").await;
    let key = b.message("hello").await["conversation"]
        .as_str()
        .expect("a key")
        .to_owned();
    assert_eq!(
        unread(&bob, &key).await,
        1,
        "only messages are unread, not the joining"
    );
    bob.post("message/read", json!({"group_id": group}))
        .await
        .ok();
    assert_eq!(unread(&bob, &key).await, 0);
    // Read receipts are for private conversations.
    b.say("alice", "end", "end").await;
    a.message("end").await;
    a.alive().await;
    assert!(a.drain().iter().all(|frame| frame["event"] != "read"));
}
