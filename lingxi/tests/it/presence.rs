//! Who is there, told to those who ask.

use serde_json::{Value, json};

use crate::harness::{Mode, User, Ws};

behaviours!(
    who_is_there_is_told_and_what_changes,
    a_newer_list_replaces_the_older,
    strangers_are_not_seen,
    who_blocks_is_not_seen,
    a_list_that_is_none,
);

async fn watch(ws: &mut Ws, names: &[&str]) -> Value {
    ws.send(json!({"type": 10, "watch": names})).await;
    ws.expect("an answer", |frame| frame["type"] == 10).await["users"].clone()
}

/// The next thing that is told of somebody's presence.
async fn told(ws: &mut Ws, name: &str, online: bool) {
    let is = |user: &Value| user["username"] == name && user["online"] == online;
    let what = format!("{name} online: {online}");
    ws.expect(&what, |frame| {
        let users = frame["users"].as_array();
        frame["type"] == 10 && users.is_some_and(|users| users.iter().any(is))
    })
    .await;
}

async fn knows(one: &User, other: &User) {
    let body = json!({"username": other.name});
    one.post("contact/add", body).await.ok();
}

async fn who_is_there_is_told_and_what_changes(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob, carol) = lx.three().await;
    knows(&alice, &bob).await;
    let group = alice.create_group("climbers").await;
    carol.join(group).await;
    let mut a = alice.connect().await;
    let b = bob.connect().await;
    let users = watch(&mut a, &["BOB", "carol", "alice"]).await;
    let expected = json!([
        {"username": "bob", "online": true},
        {"username": "carol", "online": false},
        {"username": "alice", "online": true},
    ]);
    assert_eq!(users, expected);

    let c = carol.connect().await;
    told(&mut a, "carol", true).await;
    b.close().await;
    told(&mut a, "bob", false).await;
    drop(c);
    told(&mut a, "carol", false).await;
}

async fn a_newer_list_replaces_the_older(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob, carol) = lx.three().await;
    knows(&alice, &bob).await;
    knows(&alice, &carol).await;
    let mut a = alice.connect().await;
    watch(&mut a, &["bob"]).await;
    watch(&mut a, &["carol"]).await;
    let _b = bob.connect().await;
    let _c = carol.connect().await;
    // A round tells of everybody at once: of bob it would have by now.
    let frame = a.expect("news", |frame| frame["type"] == 10).await;
    let expected = json!([{"username": "carol", "online": true}]);
    assert_eq!(frame["users"], expected);
    assert_eq!(watch(&mut a, &[]).await, json!([]));
}

async fn strangers_are_not_seen(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    // That bob keeps alice as a contact does not let her see him.
    knows(&bob, &alice).await;
    let mut a = alice.connect().await;
    let mut b = bob.connect().await;
    let users = watch(&mut a, &["bob", "nobody", "x y\u{202e}"]).await;
    let expected = json!([
        {"username": "bob", "online": false},
        {"username": "nobody", "online": false},
        {"username": "x y\u{202e}", "online": false},
    ]);
    assert_eq!(users, expected);
    // They talk: now they see each other.
    b.say("alice", "1", "hi").await;
    a.message("hi").await;
    assert_eq!(watch(&mut a, &["bob"]).await[0]["online"], true);
}

async fn who_blocks_is_not_seen(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    knows(&alice, &bob).await;
    knows(&bob, &alice).await;
    let mut a = alice.connect().await;
    let mut b = bob.connect().await;
    assert_eq!(watch(&mut a, &["bob"]).await[0]["online"], true);
    assert_eq!(watch(&mut b, &["alice"]).await[0]["online"], true);
    let body = json!({"username": "alice"});
    bob.post("contact/block", body.clone()).await.ok();
    told(&mut a, "bob", false).await;
    assert_eq!(watch(&mut a, &["bob"]).await[0]["online"], false);
    // Who blocks goes on seeing.
    assert_eq!(watch(&mut b, &["alice"]).await[0]["online"], true);
    bob.post("contact/unblock", body).await.ok();
    told(&mut a, "bob", true).await;
}

async fn a_list_that_is_none(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let mut a = alice.connect().await;
    let many: Vec<String> = (0..201).map(|number| format!("user{number}")).collect();
    for watch in [
        json!("bob"),
        json!([1]),
        json!(null),
        json!(many),
        json!(["x".repeat(257)]),
    ] {
        a.send(json!({"type": 10, "msg_id": "w", "watch": watch}))
            .await;
        let ack = a.ack("w").await;
        assert_eq!(ack["status"], "failed");
        assert_eq!(ack["reason"], "invalid_request");
        let message = ack["message"].as_str().unwrap_or_default();
        assert!(message.starts_with("watch: "), "{message}");
    }
}
