//! What messages say beside their text: answers, mentions, where they come from.

use serde_json::{Value, json};

use crate::harness::{Mode, Reply, User};

behaviours!(
    an_answer_shows_what_it_answers,
    what_cannot_be_answered_is_refused,
    mentions_are_counted_until_they_are_read,
    everybody_is_mentioned_by_administrators,
    a_message_is_forwarded,
    what_cannot_be_forwarded_is_refused,
);

async fn forward(user: &User, body: Value) -> Reply {
    user.post("message/forward", body).await
}

async fn an_answer_shows_what_it_answers(mode: Mode) {
    let (_lx, alice, bob, _carol, group) = mode.with_group().await;
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    let long = format!("灵犀{}", "长".repeat(200));
    a.say_in(group, "m1", &long).await;
    let (id, seq) = a.stored("m1").await;
    let answer =
        json!({"type": 4, "msg_id": "m2", "group_id": group, "content": "indeed", "reply_to": id});
    b.send(answer.clone()).await;
    let (answer_id, _) = b.stored("m2").await;
    let first: String = long.chars().take(100).collect();
    let quote = json!({"id": id, "seq": seq, "from": "alice", "content": first});
    for ws in [&mut a, &mut b] {
        assert_eq!(ws.message("indeed").await["reply_to"], quote);
    }
    // A repeat is the same message.
    b.send(answer.clone()).await;
    assert_eq!(b.stored("m2").await.0, answer_id);
    let of = format!("group_id={group}");
    let shown = alice.history(&of).await;
    assert_eq!(shown.len(), 2);
    assert_eq!(shown[1]["reply_to"], quote);
    assert!(shown[0].get("reply_to").is_none());
    // As it is now, wherever it is read.
    alice
        .put("message/edit", json!({"id": id, "content": "short"}))
        .await
        .ok();
    assert_eq!(alice.history(&of).await[1]["reply_to"]["content"], "short");
    alice.post("message/recall", json!({"id": id})).await.ok();
    let quote = json!({"id": id, "seq": seq, "from": "alice", "content": ""});
    assert_eq!(bob.history(&of).await[1]["reply_to"], quote);
    // A repeat gets the first answer, whatever became of what it answers.
    b.send(answer).await;
    assert_eq!(b.stored("m2").await.0, answer_id);
    b.send(json!({"type": 7, "cursors": {format!("g:{group}"): seq}}))
        .await;
    b.expect("the answer again", |frame| frame["reply_to"] == quote)
        .await;
}

async fn what_cannot_be_answered_is_refused(mode: Mode) {
    let (_lx, alice, bob, carol, group) = mode.with_group().await;
    let (mut a, mut b, mut c) = (
        alice.connect().await,
        bob.connect().await,
        carol.connect().await,
    );
    a.say_in(group, "m1", "here").await;
    let (here, _) = a.stored("m1").await;
    a.say("bob", "m1", "there").await;
    let (there, _) = a.stored("m1").await;
    a.say_in(group, "m2", "gone").await;
    let (gone, _) = a.stored("m2").await;
    alice.post("message/recall", json!({"id": gone})).await.ok();
    carol.join(group).await.ok();
    let answer = |msg_id: &str, to: Value| json!({"type": 4, "msg_id": msg_id, "group_id": group, "content": "x", "reply_to": to});
    for (number, to) in [
        json!(there),
        json!(gone),
        json!(here + 1),
        json!(0),
        json!(-5),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("n{number}");
        b.send(answer(&id, to)).await;
        b.refused(&id, "message_not_found").await;
    }
    b.send(answer("n9", json!("one"))).await;
    let refused = b.refused("n9", "invalid_request").await;
    assert!(
        refused["message"]
            .as_str()
            .is_some_and(|said| said.contains("reply_to")),
        "{refused}"
    );
    // From before her time.
    c.send(answer("c1", json!(here))).await;
    c.refused("c1", "message_not_found").await;
    c.send(answer("c2", Value::Null)).await;
    c.stored("c2").await;
}

async fn mentions_are_counted_until_they_are_read(mode: Mode) {
    let (_lx, alice, bob, carol, group) = mode.with_group().await;
    carol.join(group).await.ok();
    let mut a = alice.connect().await;
    let key = format!("g:{group}");
    let count =
        async |user: &User| user.conversation(&key).await.expect("a row")["mentions"].clone();
    let say = |msg_id: &str, mentions: Value| json!({"type": 4, "msg_id": msg_id, "group_id": group, "content": msg_id, "mentions": mentions});
    assert_eq!(count(&bob).await, 0);
    a.send(say("m1", json!(["BOB", "bob"]))).await;
    let (first, _) = a.stored("m1").await;
    let shown = a.message("m1").await;
    assert_eq!(
        shown["mentions"],
        json!(["bob"]),
        "each once, as they are called"
    );
    a.send(say("m2", json!(["bob", "alice"]))).await;
    a.stored("m2").await;
    a.send(say("m3", json!([]))).await;
    a.stored("m3").await;
    a.say("bob", "p1", "between us").await;
    a.stored("p1").await;
    assert_eq!(
        (count(&bob).await, count(&carol).await),
        (json!(2), json!(0))
    );
    assert_eq!(count(&alice).await, 0, "one does not call oneself");
    let history = bob.history(&format!("group_id={group}")).await;
    assert_eq!(history[1]["mentions"], json!(["bob", "alice"]));
    assert!(history[2].get("mentions").is_none());
    // Nobody calls by what was recalled.
    alice
        .post("message/recall", json!({"id": first}))
        .await
        .ok();
    assert_eq!(count(&bob).await, 1);
    bob.post("message/read", json!({"group_id": group}))
        .await
        .ok();
    assert_eq!(count(&bob).await, 0);
    let many: Vec<String> = (0..51).map(|number| format!("user{number}")).collect();
    for (id, mentions, reason) in [
        ("n1", json!(["bob", "nobody"]), "user_not_found"),
        ("n2", json!(many), "invalid_request"),
        ("n3", json!("bob"), "invalid_request"),
        ("n4", json!([1]), "invalid_request"),
    ] {
        a.send(say(id, mentions)).await;
        a.refused(id, reason).await;
    }
}

async fn everybody_is_mentioned_by_administrators(mode: Mode) {
    let (_lx, alice, bob, carol, group) = mode.with_group().await;
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    let key = format!("g:{group}");
    let count =
        async |user: &User| user.conversation(&key).await.expect("a row")["mentions"].clone();
    let say = |msg_id: &str, mentions: Value| json!({"type": 4, "msg_id": msg_id, "group_id": group, "content": msg_id, "mentions": mentions});
    a.send(say("m1", json!(["bob", "@all"]))).await;
    a.stored("m1").await;
    assert_eq!(b.message("m1").await["mentions"], json!(["bob", "@all"]));
    assert_eq!(
        (count(&bob).await, count(&alice).await),
        (json!(1), json!(0)),
        "once"
    );
    carol.join(group).await.ok();
    assert_eq!(count(&carol).await, 0, "from before her time");
    b.send(say("m2", json!(["@all"]))).await;
    b.refused("m2", "forbidden").await;
    let admin = json!({"group_id": group, "target_username": "bob", "role": "admin"});
    alice.post("group/role", admin).await.ok();
    b.send(say("m2", json!(["@all"]))).await;
    b.stored("m2").await;
    for (user, mentions) in [(&alice, 1), (&bob, 1), (&carol, 1)] {
        assert_eq!(count(user).await, mentions, "{}", user.name);
    }
    a.send(json!({"type": 2, "msg_id": "p1", "to": "bob", "content": "x", "mentions": ["@all"]}))
        .await;
    a.refused("p1", "forbidden").await;
    a.send(json!({"type": 2, "msg_id": "p2", "to": "bob", "content": "x", "mentions": ["bob"]}))
        .await;
    a.stored("p2").await;
    let private = format!("d:{}:{}", alice.id.min(bob.id), alice.id.max(bob.id));
    assert_eq!(
        bob.conversation(&private).await.expect("a row")["mentions"],
        1
    );
}

async fn a_message_is_forwarded(mode: Mode) {
    let (_lx, alice, bob, carol, group) = mode.with_group().await;
    let (mut b, mut c) = (bob.connect().await, carol.connect().await);
    let mut a = alice.connect().await;
    a.say_in(group, "m1", "pass it on").await;
    let (id, _) = a.stored("m1").await;
    let sent = forward(&bob, json!({"id": id, "to": "CAROL"})).await.ok();
    assert_eq!(sent["message"], "message forwarded");
    let copy = c.message("pass it on").await;
    assert_eq!((&copy["id"], &copy["seq"]), (&sent["id"], &sent["seq"]));
    assert_eq!(
        (
            &copy["from"],
            &copy["forwarded_from"],
            &copy["conversation"]
        ),
        (&json!("bob"), &json!("alice"), &sent["conversation"])
    );
    assert_eq!(
        b.expect("his own copy", |frame| frame["id"] == copy["id"]
            && frame["type"] == 2)
            .await,
        copy
    );
    // On from there, it still says who said it first.
    let theirs = carol.create_group("theirs").await;
    let again = json!({"id": copy["id"], "group_id": theirs, "msg_id": "once"});
    let sent = forward(&carol, again.clone()).await.ok();
    let shown = &carol.history(&format!("group_id={theirs}")).await[0];
    assert_eq!(
        (&shown["forwarded_from"], &shown["msg_id"]),
        (&json!("alice"), &json!("once"))
    );
    assert_eq!(
        forward(&carol, again.clone()).await.ok(),
        sent,
        "asked again, it is the same copy"
    );
    assert_eq!(carol.history(&format!("group_id={theirs}")).await.len(), 1);
    c.say_in(theirs, "c1", "something else").await;
    let (other, _) = c.stored("c1").await;
    let other = json!({"id": other, "group_id": theirs, "msg_id": "once"});
    forward(&carol, other)
        .await
        .fails(409, "idempotency_conflict");
    // It says what somebody else said, and is not edited.
    let edit = json!({"id": copy["id"], "content": "I resign"});
    bob.put("message/edit", edit).await.fails(403, "forbidden");
    // A copy is a message of its own: the first one goes, it stays.
    alice.post("message/recall", json!({"id": id})).await.ok();
    assert_eq!(
        carol.history("username=bob").await[0]["content"],
        "pass it on"
    );
    bob.post("message/recall", json!({"id": copy["id"]}))
        .await
        .ok();
    assert_eq!(
        forward(&carol, again).await.ok(),
        sent,
        "whatever became of what it is a copy of"
    );
}

async fn what_cannot_be_forwarded_is_refused(mode: Mode) {
    let (_lx, alice, bob, carol, group) = mode.with_group().await;
    let mut a = alice.connect().await;
    a.say_in(group, "m1", "secret").await;
    let (id, _) = a.stored("m1").await;
    a.say_in(group, "m2", "gone").await;
    let (gone, _) = a.stored("m2").await;
    alice.post("message/recall", json!({"id": gone})).await.ok();
    let elsewhere = carol.create_group("elsewhere").await;
    alice
        .post("contact/block", json!({"username": "bob"}))
        .await
        .ok();
    for (user, body, status, code) in [
        (
            &carol,
            json!({"id": id, "to": "bob"}),
            404,
            "message_not_found",
        ),
        (
            &bob,
            json!({"id": id + 1, "to": "carol"}),
            404,
            "message_not_found",
        ),
        (
            &bob,
            json!({"id": gone, "to": "carol"}),
            404,
            "message_not_found",
        ),
        (
            &bob,
            json!({"id": id, "to": "nobody"}),
            404,
            "user_not_found",
        ),
        (&bob, json!({"id": id, "to": "alice"}), 403, "blocked"),
        (
            &bob,
            json!({"id": id, "group_id": elsewhere}),
            403,
            "not_member",
        ),
        (
            &bob,
            json!({"id": id, "group_id": 999_999}),
            404,
            "group_not_found",
        ),
        (&bob, json!({"id": id}), 400, "invalid_request"),
        (
            &bob,
            json!({"id": id, "to": "carol", "group_id": group}),
            400,
            "invalid_request",
        ),
        (
            &bob,
            json!({"id": id, "to": "carol", "msg_id": ""}),
            400,
            "invalid_request",
        ),
        (
            &bob,
            json!({"id": id, "to": "carol", "msg_id": "m".repeat(65)}),
            400,
            "invalid_request",
        ),
    ] {
        forward(user, body.clone()).await.fails(status, code);
    }
    let mute = json!({"group_id": group, "target_username": "bob", "until": 4_000_000_000_000_i64});
    alice.post("group/mute", mute).await.ok();
    forward(&bob, json!({"id": id, "group_id": group}))
        .await
        .fails(403, "muted");
    forward(&bob, json!({"id": id, "to": "carol"})).await.ok();
}
