//! What people react to messages, what groups keep in sight, who has read, and who wants to hear nothing of it.

use lingxi_domain::now_ms;
use serde_json::{Value, json};

use crate::harness::{Mode, Reply, User};

behaviours!(
    people_react,
    reactions_end_with_their_message,
    reactions_are_bounded_and_theirs_alone,
    many_at_once_are_counted_once_each,
    groups_keep_messages_in_sight,
    readers_are_known_in_groups,
    the_other_sides_reading_is_in_the_list,
    a_conversation_is_muted,
);

async fn react(user: &User, id: u64, emoji: &str, on: bool) -> Reply {
    let body = json!({"id": id, "emoji": emoji, "on": on});
    user.post("message/react", body).await
}

async fn pin(user: &User, id: u64, on: bool) -> Reply {
    user.post("group/pin", json!({"id": id, "on": on})).await
}

async fn people_react(mode: Mode) {
    let (_lx, alice, bob, _carol, group) = mode.with_group().await;
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    a.say_in(group, "m1", "lunch?").await;
    let (id, seq) = a.stored("m1").await;
    let shown = react(&bob, id, "👍", true).await.ok();
    assert_eq!(
        shown["reactions"],
        json!([{"emoji": "👍", "count": 1, "mine": true}])
    );
    for ws in [&mut a, &mut b] {
        let event = ws.event("reacted").await;
        assert_eq!(
            (&event["target_id"], &event["target_seq"]),
            (&json!(id), &json!(seq))
        );
        assert_eq!(
            (&event["from"], &event["seq"]),
            (&json!("bob"), &json!(seq + 1))
        );
        assert_eq!(
            (&event["emoji"], &event["on"], &event["count"]),
            (&json!("👍"), &json!(true), &json!(1))
        );
    }
    // Again is no news, whatever the heart is made of.
    react(&bob, id, "👍", true).await.ok();
    react(&alice, id, "❤", true).await.ok();
    let shown = react(&alice, id, "❤️", true).await.ok();
    assert_eq!(
        shown["reactions"],
        json!([{"emoji": "👍", "count": 1, "mine": false}, {"emoji": "❤️", "count": 1, "mine": true}])
    );
    react(&alice, id, "👍", true).await.ok();
    for (seq, emoji, count) in [(seq + 2, "❤️", 1), (seq + 3, "👍", 2)] {
        let event = b.event("reacted").await;
        assert_eq!(
            (&event["seq"], &event["emoji"], &event["count"]),
            (&json!(seq), &json!(emoji), &json!(count))
        );
    }
    let shown = react(&bob, id, "👍", false).await.ok();
    assert_eq!(
        shown["reactions"][0],
        json!({"emoji": "👍", "count": 1, "mine": false})
    );
    let event = b.event("reacted").await;
    assert_eq!((&event["on"], &event["count"]), (&json!(false), &json!(1)));
    react(&bob, id, "👍", false).await.ok();
    let of = format!("group_id={group}");
    assert_eq!(bob.history(&of).await, [shown]);
    // Who was away hears of each.
    let log = bob.log(&of).await;
    let counts: Vec<_> = log
        .iter()
        .filter(|entry| entry["event"] == "reacted")
        .map(|entry| entry["count"].as_i64())
        .collect();
    assert_eq!(counts, [Some(1), Some(1), Some(2), Some(1)]);
    // A reaction is nothing to read, and does not bring the conversation up.
    let row = bob
        .conversation(&format!("g:{group}"))
        .await
        .expect("a row");
    assert_eq!(
        (&row["unread"], &row["last_message"]["id"]),
        (&json!(1), &json!(id))
    );
}

async fn reactions_end_with_their_message(mode: Mode) {
    let (_lx, alice, bob, _carol, group) = mode.with_group().await;
    let mut a = alice.connect().await;
    a.say_in(group, "m1", "oops").await;
    let (id, _) = a.stored("m1").await;
    react(&bob, id, "👍", true).await.ok();
    pin(&alice, id, true).await.ok();
    alice.post("message/recall", json!({"id": id})).await.ok();
    react(&bob, id, "❤️", true)
        .await
        .fails(404, "message_not_found");
    react(&bob, id, "👍", false)
        .await
        .fails(404, "message_not_found");
    pin(&alice, id, true).await.fails(404, "message_not_found");
    let shown = &bob.history(&format!("group_id={group}")).await[0];
    assert_eq!(shown["recalled"], true);
    assert!(shown.get("reactions").is_none(), "{shown}");
    let pins = bob.get(&format!("group/pins?group_id={group}")).await.ok();
    assert_eq!(pins["pins"], json!([]));
}

async fn reactions_are_bounded_and_theirs_alone(mode: Mode) {
    let (_lx, alice, bob, carol, group) = mode.with_group().await;
    let mut a = alice.connect().await;
    a.say_in(group, "m1", "hi").await;
    let (id, _) = a.stored("m1").await;
    for bad in ["", "a", "👍👍", "好", "<img>", ":+1:", &"👍".repeat(9)] {
        react(&bob, id, bad, true)
            .await
            .fails(400, "invalid_request");
    }
    bob.post("message/react", json!({"id": id, "emoji": "👍"}))
        .await
        .fails(400, "invalid_request");
    react(&carol, id, "👍", true)
        .await
        .fails(404, "message_not_found");
    react(&bob, id + 1, "👍", true)
        .await
        .fails(404, "message_not_found");
    let kinds = "😀😁😂🤣😃😄😅😆😉😊😋😎😍😘🥰😗😙😚🙂🤗";
    for emoji in kinds.chars() {
        react(&bob, id, &emoji.to_string(), true).await.ok();
    }
    react(&alice, id, "🚀", true)
        .await
        .fails(409, "too_many_reactions");
    react(&alice, id, "😀", true).await.ok();
    react(&bob, id, "😁", false).await.ok();
    let shown = react(&alice, id, "🚀", true).await.ok();
    let shown = shown["reactions"].as_array().expect("reactions");
    assert_eq!(shown.len(), 20);
    assert_eq!(shown[0], json!({"emoji": "😀", "count": 2, "mine": true}));
    assert_eq!(shown[19], json!({"emoji": "🚀", "count": 1, "mine": true}));
    // Who joins later sees neither the message nor what is done about it.
    carol.join(group).await.ok();
    react(&carol, id, "👍", true)
        .await
        .fails(404, "message_not_found");
    let mute = json!({"group_id": group, "target_username": "bob", "until": now_ms() + 3_600_000});
    alice.post("group/mute", mute).await.ok();
    react(&bob, id, "😀", false).await.fails(403, "muted");
    bob.post("group/leave", json!({"group_id": group}))
        .await
        .ok();
    react(&bob, id, "😀", false).await.fails(403, "not_member");
    let mut b = bob.connect().await;
    a.say("bob", "m2", "hey").await;
    let (id, _) = a.stored("m2").await;
    b.message("hey").await;
    react(&bob, id, "👍", true).await.ok();
    alice
        .post("contact/block", json!({"username": "bob"}))
        .await
        .ok();
    react(&bob, id, "😀", true).await.fails(403, "blocked");
}

async fn many_at_once_are_counted_once_each(mode: Mode) {
    let (lx, alice, _bob, _carol, group) = mode.with_group().await;
    let mut people = Vec::new();
    for number in 0..12 {
        let user = lx.user(&format!("user{number}")).await;
        user.join(group).await.ok();
        people.push(user);
    }
    let mut a = alice.connect().await;
    a.say_in(group, "m1", "vote").await;
    let (id, _) = a.stored("m1").await;
    // Each twice, at once.
    let tries = people
        .iter()
        .chain(&people)
        .map(|user| react(user, id, "👍", true));
    for reply in futures_util::future::join_all(tries).await {
        reply.ok();
    }
    let mut counts = Vec::new();
    for _ in 0..people.len() {
        counts.push(a.event("reacted").await["count"].as_u64().expect("a count"));
    }
    assert_eq!(
        counts,
        (1..=12).collect::<Vec<_>>(),
        "in the order of the log"
    );
    let shown = &alice.history(&format!("group_id={group}")).await[0];
    assert_eq!(
        shown["reactions"],
        json!([{"emoji": "👍", "count": 12, "mine": false}])
    );
}

async fn groups_keep_messages_in_sight(mode: Mode) {
    let (_lx, alice, bob, carol, group) = mode.with_group().await;
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    let mut ids = Vec::new();
    for number in 0..3 {
        let (id, text) = (format!("m{number}"), format!("rule {number}"));
        b.say_in(group, &id, &text).await;
        ids.push(b.stored(&id).await.0);
    }
    pin(&bob, ids[0], true).await.fails(403, "forbidden");
    pin(&carol, ids[0], true)
        .await
        .fails(404, "message_not_found");
    assert_eq!(
        pin(&alice, ids[1], true).await.ok()["message"],
        "message pinned"
    );
    let event = b.event("pinned").await;
    assert_eq!(
        (&event["target_id"], &event["from"]),
        (&json!(ids[1]), &json!("alice"))
    );
    pin(&alice, ids[1], true).await.ok();
    pin(&alice, ids[0], true).await.ok();
    assert_eq!(b.event("pinned").await["target_id"], ids[0]);
    react(&bob, ids[0], "👍", true).await.ok();
    let pins = async |user: &User, tail: &str| {
        let page = user
            .get(&format!("group/pins?group_id={group}{tail}"))
            .await
            .ok();
        let rows = page["pins"].as_array().expect("pins");
        let ids: Vec<u64> = rows.iter().filter_map(|row| row["id"].as_u64()).collect();
        (ids, page["has_more"] == true, rows.clone())
    };
    let (all, more, rows) = pins(&bob, "").await;
    assert_eq!(
        (all, more),
        (vec![ids[0], ids[1]], false),
        "the newest pin first"
    );
    assert_eq!(rows[0]["content"], "rule 0");
    assert_eq!(rows[0]["reactions"][0]["mine"], true);
    assert_eq!(pins(&bob, "&limit=1").await.0, [ids[0]]);
    assert!(pins(&bob, "&limit=1").await.1);
    let (rest, more, _) = pins(&bob, &format!("&limit=1&after={}", ids[0])).await;
    assert_eq!((rest, more), (vec![ids[1]], false));
    assert_eq!(
        pin(&alice, ids[1], false).await.ok()["message"],
        "message unpinned"
    );
    assert_eq!(b.event("unpinned").await["target_id"], ids[1]);
    pin(&alice, ids[1], false).await.ok();
    assert_eq!(pins(&bob, "").await.0, [ids[0]]);
    let path = format!("group/pins?group_id={group}");
    carol.get(&path).await.fails(403, "not_member");
    carol
        .get("group/pins?group_id=999999")
        .await
        .fails(404, "group_not_found");
    carol.join(group).await.ok();
    assert_eq!(
        pins(&carol, "").await.0,
        Vec::<u64>::new(),
        "from before her time"
    );
    a.say("bob", "p1", "private").await;
    let (private, _) = a.stored("p1").await;
    pin(&alice, private, true)
        .await
        .fails(400, "invalid_request");
}

async fn readers_are_known_in_groups(mode: Mode) {
    let (_lx, alice, bob, carol, group) = mode.with_group().await;
    let mut a = alice.connect().await;
    a.say_in(group, "m1", "read me").await;
    let (id, seq) = a.stored("m1").await;
    let readers = async |user: &User| {
        let list = user.get(&format!("message/readers?id={id}")).await.ok();
        assert_eq!(list["has_more"], false);
        let rows = list["readers"].as_array().expect("readers").clone();
        rows.iter()
            .map(|row| row["username"].as_str().expect("a name").to_owned())
            .collect::<Vec<_>>()
    };
    assert!(readers(&alice).await.is_empty());
    bob.post("message/read", json!({"group_id": group, "seq": seq}))
        .await
        .ok();
    alice
        .post("message/read", json!({"group_id": group}))
        .await
        .ok();
    assert_eq!(readers(&alice).await, ["bob"], "its sender is no reader");
    assert_eq!(readers(&bob).await, ["bob"]);
    carol
        .get(&format!("message/readers?id={id}"))
        .await
        .fails(404, "message_not_found");
    carol.join(group).await.ok();
    carol
        .post("message/read", json!({"group_id": group}))
        .await
        .ok();
    carol
        .get(&format!("message/readers?id={id}"))
        .await
        .fails(404, "message_not_found");
    assert_eq!(
        readers(&alice).await,
        ["bob"],
        "who joined later has not read it"
    );
    bob.get("message/readers?id=1")
        .await
        .fails(404, "message_not_found");
    a.say("bob", "p1", "private").await;
    let (private, _) = a.stored("p1").await;
    bob.get(&format!("message/readers?id={private}"))
        .await
        .fails(400, "invalid_request");
    bob.post("group/leave", json!({"group_id": group}))
        .await
        .ok();
    bob.get(&format!("message/readers?id={id}"))
        .await
        .fails(403, "not_member");
}

async fn the_other_sides_reading_is_in_the_list(mode: Mode) {
    let (_lx, alice, bob, _carol, group) = mode.with_group().await;
    let mut a = alice.connect().await;
    a.say("bob", "m1", "seen?").await;
    let (_, seq) = a.stored("m1").await;
    a.say("alice", "m2", "a note").await;
    a.stored("m2").await;
    let key = format!("d:{}:{}", alice.id.min(bob.id), alice.id.max(bob.id));
    let peer = async |user: &User, key: &str| -> Value {
        let row = user.conversation(key).await.expect("a row");
        row.get("peer_read_seq").cloned().unwrap_or_default()
    };
    assert_eq!(peer(&alice, &key).await, 0);
    bob.post("message/read", json!({"username": "alice"}))
        .await
        .ok();
    assert_eq!(peer(&alice, &key).await, seq);
    assert_eq!(peer(&bob, &key).await, 0, "she has not read her own");
    assert_eq!(peer(&alice, &format!("g:{group}")).await, Value::Null);
    assert_eq!(peer(&alice, &format!("d:{0}:{0}", alice.id)).await, 0);
}

async fn a_conversation_is_muted(mode: Mode) {
    let (_lx, alice, bob, carol, group) = mode.with_group().await;
    let key = format!("g:{group}");
    let mute = async |user: &User, key: &str, until: Value| {
        let body = json!({"conversation": key, "until": until});
        user.put("message/mute", body).await
    };
    let until = now_ms() + 3_600_000;
    let muted = mute(&bob, &key, json!(until)).await.ok();
    assert_eq!(muted, json!({"conversation": key, "muted_until": until}));
    let shown = async |user: &User| {
        let row = user.conversation(&key).await.expect("a row");
        row.get("muted_until").cloned().unwrap_or_default()
    };
    assert_eq!(
        (shown(&bob).await, shown(&alice).await),
        (json!(until), Value::Null)
    );
    // He can speak, and is told everything.
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    a.say_in(group, "m1", "psst").await;
    b.message("psst").await;
    b.say_in(group, "b1", "yes?").await;
    b.stored("b1").await;
    mute(&bob, &key, json!(0)).await.ok();
    assert_eq!(shown(&bob).await, Value::Null);
    mute(&carol, &key, json!(until))
        .await
        .fails(403, "not_member");
    mute(&bob, "g:999999", json!(until))
        .await
        .fails(404, "group_not_found");
    let theirs = format!("d:{}:{}", alice.id.min(carol.id), alice.id.max(carol.id));
    mute(&bob, &theirs, json!(until))
        .await
        .fails(403, "forbidden");
    mute(&alice, &theirs, json!(until))
        .await
        .fails(404, "message_not_found");
    for bad in [json!(-1), json!("soon"), json!(1_i64 << 53), Value::Null] {
        mute(&bob, &key, bad).await.fails(400, "invalid_request");
    }
    mute(&bob, "somewhere", json!(0))
        .await
        .fails(400, "invalid_request");
}
