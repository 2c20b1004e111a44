//! Messages that get another text: who may, until when, and that everybody who sees them hears of it.

use serde_json::{Value, json};

use crate::harness::{Mode, Reply, User};

behaviours!(
    a_message_gets_another_text,
    who_was_away_sees_it_as_it_is_now,
    who_may_not_edit_is_told_why,
    who_joined_later_does_not_see_what_it_says,
    who_left_sees_what_was_said_until_then,
    a_repeat_after_an_edit_is_the_same_message,
);

async fn edit(user: &User, id: u64, content: &str) -> Reply {
    let body = json!({"id": id, "content": content});
    user.put("message/edit", body).await
}

async fn a_message_gets_another_text(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    a.say("bob", "m1", "helo").await;
    let (id, seq) = a.stored("m1").await;
    b.message("helo").await;
    let shown = edit(&alice, id, "hello 👋").await.ok();
    assert_eq!((&shown["id"], &shown["seq"]), (&json!(id), &json!(seq)));
    assert_eq!(
        (&shown["content"], &shown["to"]),
        (&json!("hello 👋"), &json!("bob"))
    );
    assert!(shown["edited_at"].as_i64() >= shown["created_at"].as_i64());
    for ws in [&mut a, &mut b] {
        let event = ws.event("edited").await;
        assert_eq!(
            (&event["target_id"], &event["target_seq"]),
            (&json!(id), &json!(seq))
        );
        assert_eq!(
            (&event["content"], &event["from"]),
            (&json!("hello 👋"), &json!("alice"))
        );
        assert_eq!(event["seq"], seq + 1);
    }
    assert_eq!(
        bob.history("username=alice").await,
        std::slice::from_ref(&shown)
    );
    let row = bob
        .conversation(shown["conversation"].as_str().expect("a key"))
        .await;
    let row = row.expect("a row");
    assert_eq!(row["last_message"]["content"], "hello 👋");
    assert_eq!(
        (&row["unread"], &row["last_seq"]),
        (&json!(1), &json!(seq + 1))
    );
    // The same text is no news; another one is, and again.
    edit(&alice, id, "hello 👋").await.ok();
    edit(&alice, id, "hello!").await.ok();
    assert_eq!(b.event("edited").await["seq"], seq + 2);
    // What was recalled is over.
    alice.post("message/recall", json!({"id": id})).await.ok();
    edit(&alice, id, "still here")
        .await
        .fails(404, "message_not_found");
    let log = bob.log("username=alice").await;
    assert_eq!(log.len(), 4, "{log:?}");
    for entry in &log {
        let text = entry["content"].as_str().unwrap_or_default();
        assert_eq!(text, "", "nobody reads it any more: {entry}");
    }
}

async fn who_was_away_sees_it_as_it_is_now(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut a = alice.connect().await;
    a.say("bob", "m1", "one").await;
    let (id, seq) = a.stored("m1").await;
    // Bob has the first text, and is away for two edits.
    let mut b = bob.connect().await;
    b.message("one").await;
    b.leave().await;
    edit(&alice, id, "two").await.ok();
    edit(&alice, id, "three").await.ok();
    let mut b = bob.connect().await;
    for number in 1..=2 {
        let event = b.event("edited").await;
        assert_eq!(
            (&event["seq"], &event["target_id"]),
            (&json!(seq + number), &json!(id))
        );
        assert_eq!(event["content"], "three", "as it is now");
    }
    b.send(json!({"type": 7, "cursors": {event_key(&alice, &bob): 0}}))
        .await;
    let again = b.message("three").await;
    assert_eq!((&again["id"], &again["msg_id"]), (&json!(id), &json!("m1")));
    assert!(again["edited_at"].is_u64(), "{again}");
}

fn event_key(a: &User, b: &User) -> String {
    format!("d:{}:{}", a.id.min(b.id), a.id.max(b.id))
}

async fn who_may_not_edit_is_told_why(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob, carol) = lx.three().await;
    let group = alice.create_group("g").await;
    bob.join(group).await.ok();
    let mut b = bob.connect().await;
    b.say_in(group, "m1", "mine").await;
    let (id, _) = b.stored("m1").await;
    edit(&alice, id, "yours").await.fails(403, "forbidden");
    edit(&carol, id, "whose?")
        .await
        .fails(404, "message_not_found");
    edit(&bob, id + 1, "which?")
        .await
        .fails(404, "message_not_found");
    for (content, status, code) in [
        ("", 400, "invalid_request"),
        ("a\u{0}", 400, "invalid_request"),
        (&"a".repeat(16 * 1024 + 1), 413, "too_large"),
        (&"\n".repeat(8 * 1024 + 1), 413, "too_large"),
    ] {
        edit(&bob, id, content).await.fails(status, code);
    }
    bob.put("message/edit", json!({"id": id}))
        .await
        .fails(400, "invalid_request");
    let mute = json!({"group_id": group, "target_username": "bob", "until": 4_000_000_000_000_i64});
    alice.post("group/mute", mute).await.ok();
    edit(&bob, id, "shout").await.fails(403, "muted");
    let lift = json!({"group_id": group, "target_username": "bob", "until": 0});
    alice.post("group/mute", lift).await.ok();
    edit(&bob, id, "calm").await.ok();
    bob.post("group/leave", json!({"group_id": group}))
        .await
        .ok();
    edit(&bob, id, "from outside")
        .await
        .fails(403, "not_member");
    // A joining is no message.
    let joined = alice.log(&format!("group_id={group}")).await[0]["id"].as_u64();
    edit(&alice, joined.expect("an id"), "x")
        .await
        .fails(404, "message_not_found");

    b.say("alice", "m3", "nice").await;
    let (id, _) = b.stored("m3").await;
    alice
        .post("contact/block", json!({"username": "bob"}))
        .await
        .ok();
    edit(&bob, id, "nasty").await.fails(403, "blocked");
}

async fn who_joined_later_does_not_see_what_it_says(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob, carol) = lx.three().await;
    let group = alice.create_group("g").await;
    bob.join(group).await.ok();
    let mut a = alice.connect().await;
    a.say_in(group, "m1", "a secret").await;
    let (id, seq) = a.stored("m1").await;
    carol.join(group).await.ok();
    let (mut b, mut c) = (bob.connect().await, carol.connect().await);
    edit(&alice, id, "another secret").await.ok();
    for ws in [&mut b, &mut c] {
        let event = ws.event("edited").await;
        assert_eq!(event["target_seq"], seq);
        assert!(event.get("content").is_none(), "{event}");
    }
    let of = format!("group_id={group}");
    for user in [&carol, &bob] {
        let log = user.log(&of).await;
        let edited = log.iter().find(|entry| entry["event"] == "edited");
        let edited: &Value = edited.expect("the edit");
        assert!(edited.get("content").is_none(), "{edited}");
    }
    // Who was there reads it in the message itself.
    assert_eq!(bob.history(&of).await[0]["content"], "another secret");
    assert_eq!(carol.history(&of).await, Vec::<Value>::new());
}

async fn who_left_sees_what_was_said_until_then(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let group = alice.create_group("g").await;
    bob.join(group).await.ok();
    let mut a = alice.connect().await;
    a.say_in(group, "m1", "old").await;
    let (first, _) = a.stored("m1").await;
    a.say_in(group, "m2", "stays").await;
    let (second, _) = a.stored("m2").await;
    let answer =
        json!({"type": 4, "msg_id": "m3", "group_id": group, "content": "so", "reply_to": first});
    a.send(answer).await;
    a.stored("m3").await;
    edit(&alice, second, "seen by both").await.ok();
    alice.kick(group, "bob").await.ok();
    edit(&alice, first, "the new address").await.ok();
    let body = json!({"id": second, "emoji": "👍", "on": true});
    alice.post("message/react", body).await.ok();
    let of = format!("group_id={group}");
    for query in [of.clone(), format!("{of}&entries=all&limit=200")] {
        let seen = bob.history(&query).await;
        let text = serde_json::to_string(&seen).expect("JSON");
        assert!(
            !text.contains("the new address") && !text.contains("👍"),
            "{text}"
        );
        let said = |id: u64| {
            let found = seen.iter().find(|entry| entry["id"] == id);
            found.expect("a message")["content"].clone()
        };
        assert_eq!(
            (said(first), said(second)),
            (json!(""), json!("seen by both"))
        );
    }
    let dave = lx.user("dave").await;
    let forward = json!({"id": first, "to": "dave"});
    bob.post("message/forward", forward)
        .await
        .fails(404, "message_not_found");
    let forward = json!({"id": second, "to": "dave"});
    bob.post("message/forward", forward).await.ok();
    assert_eq!(
        dave.history("username=bob").await[0]["content"],
        "seen by both"
    );
    assert_eq!(alice.history(&of).await[0]["content"], "the new address");

    // Nor by the socket: what waited for him while he was away, and what he asks for.
    let mut b = bob.connect().await;
    let key = format!("g:{group}");
    let own = |frame: &Value| frame["conversation"] == key;
    b.expect("the end", |frame| frame["event"] == "group_kicked")
        .await;
    let mut seen: Vec<Value> = b.drain().into_iter().filter(own).collect();
    b.send(json!({"type": 7, "cursors": {key.clone(): 0}}))
        .await;
    b.expect("the end again", |frame| frame["event"] == "group_kicked")
        .await;
    seen.extend(b.drain().into_iter().filter(own));
    let said = |id: u64| {
        let found = seen.iter().filter(|entry| entry["id"] == id);
        found
            .map(|entry| entry["content"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(said(first), [json!(""), json!("")]);
    assert_eq!(said(second), [json!("seen by both"), json!("seen by both")]);
    let text = serde_json::to_string(&seen).expect("JSON");
    assert!(!text.contains("the new address"), "{text}");
}

async fn a_repeat_after_an_edit_is_the_same_message(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut a = alice.connect().await;
    a.say("bob", "m1", "one").await;
    let first = a.stored("m1").await;
    edit(&alice, first.0, "two").await.ok();
    a.say("bob", "m1", "one").await;
    assert_eq!(a.stored("m1").await, first);
    a.say("bob", "m1", "two").await;
    a.refused("m1", "idempotency_conflict").await;
    assert_eq!(bob.history("username=alice").await[0]["content"], "two");
}
