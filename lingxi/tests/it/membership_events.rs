//! What members see of joining, leaving, inviting and kicking, and what a new or former member does not see.

use serde_json::{Value, json};

use crate::harness::Mode;

behaviours!(
    every_member_sees_the_events,
    a_kicked_member_is_out_at_once,
    who_left_gets_nothing,
    a_new_member_sees_nothing_from_before,
);

#[track_caller]
fn about(event: &Value, group: u64, from: &str, target: &str) -> u64 {
    assert_eq!(event["group_id"], group, "{event}");
    assert_eq!(event["from"], from, "{event}");
    assert_eq!(event["target"], target, "{event}");
    assert!(
        event["id"].is_u64() && event["created_at"].is_u64(),
        "{event}"
    );
    assert!(event["conversation"].is_string(), "{event}");
    event["seq"].as_u64().expect("a seq")
}

async fn every_member_sees_the_events(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob, carol) = lx.three().await;
    let group = alice.create_group("g").await;
    let mut a = alice.connect().await;
    let mut b = bob.connect().await;
    let mut c = carol.connect().await;

    // The founder's own entry opens the log.
    let mut last = about(&a.event("group_joined").await, group, "alice", "alice");
    assert_eq!(last, 1);
    bob.join(group).await.ok();
    let seq = about(&a.event("group_joined").await, group, "bob", "bob");
    assert_eq!(seq, last + 1);
    last = seq;

    alice.invite(group, "carol").await.ok();
    for ws in [&mut a, &mut b, &mut c] {
        let seq = about(&ws.event("group_invited").await, group, "alice", "carol");
        assert_eq!(seq, last + 1, "the same seq for everyone, and dense");
    }
    last += 1;

    bob.post("group/leave", json!({"group_id": group}))
        .await
        .ok();
    for ws in [&mut a, &mut c] {
        let seq = about(&ws.event("group_left").await, group, "bob", "bob");
        assert_eq!(seq, last + 1);
    }
    last += 1;

    alice.kick(group, "carol").await.ok();
    for ws in [&mut a, &mut c] {
        let seq = about(&ws.event("group_kicked").await, group, "alice", "carol");
        assert_eq!(seq, last + 1);
    }
    // The log has them, with the same seqs.
    let log = alice.log(&format!("group_id={group}")).await;
    let tail: Vec<_> = log[log.len() - 4..]
        .iter()
        .map(|entry| entry["event"].clone())
        .collect();
    assert_eq!(
        tail,
        [
            "group_joined",
            "group_invited",
            "group_left",
            "group_kicked"
        ]
    );
    let seqs: Vec<_> = log
        .iter()
        .map(|entry| entry["seq"].as_u64().expect("seq"))
        .collect();
    assert_eq!(seqs, (1..=last + 1).collect::<Vec<_>>());
    // Without entries=all there are only messages.
    assert!(alice.history(&format!("group_id={group}")).await.is_empty());
}

async fn a_kicked_member_is_out_at_once(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob, carol) = lx.three().await;
    let group = alice.create_group("g").await;
    bob.join(group).await.ok();
    carol.join(group).await.ok();
    let (mut a, mut b, mut c) = (
        alice.connect().await,
        bob.connect().await,
        carol.connect().await,
    );
    b.say_in(group, "b1", "hello").await;
    b.stored("b1").await;

    alice.kick(group, "bob").await.ok();
    // The 200 means committed: from here on nothing of his gets in, and nothing of theirs gets to him.
    b.say_in(group, "b2", "let me in").await;
    b.refused("b2", "not_member").await;
    a.say_in(group, "a1", "he is gone").await;
    a.stored("a1").await;
    c.message("he is gone").await;
    a.say("bob", "a2", "sorry").await;
    b.message("sorry").await;
    b.alive().await;
    let leaked = |frames: Vec<Value>| frames.iter().any(|frame| frame["content"] == "he is gone");
    assert!(!leaked(b.drain()), "a kicked member was pushed a message");

    // Not by reconnecting, by asking for it, or by reading the history either.
    drop(b);
    let mut b = bob.connect().await;
    let conversation = c.event("group_kicked").await["conversation"].clone();
    let key = conversation.as_str().expect("a key");
    b.send(json!({"type": 7, "cursors": {key: 0}})).await;
    a.say("bob", "a3", "really sorry").await;
    b.message("really sorry").await;
    b.alive().await;
    assert!(!leaked(b.drain()), "a kicked member was pushed a message");
    let history = bob
        .get(&format!("message/history?group_id={group}&entries=all"))
        .await;
    let read = history.body["messages"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    assert!(!leaked(read), "a kicked member read a message");
    // The others never saw his.
    c.alive().await;
    assert!(
        c.drain()
            .iter()
            .all(|frame| frame["content"] != "let me in")
    );
    // A repeat of what was stored before the kick still gets its first answer.
    b.say_in(group, "b1", "hello").await;
    b.stored("b1").await;
}

async fn who_left_gets_nothing(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob, carol) = lx.three().await;
    let group = alice.create_group("g").await;
    bob.join(group).await.ok();
    carol.join(group).await.ok();
    let (mut a, mut b, mut c) = (
        alice.connect().await,
        bob.connect().await,
        carol.connect().await,
    );
    bob.post("group/leave", json!({"group_id": group}))
        .await
        .ok();
    a.say_in(group, "a1", "without bob").await;
    a.stored("a1").await;
    c.message("without bob").await;
    b.say_in(group, "b1", "back?").await;
    b.refused("b1", "not_member").await;
    a.say("bob", "a2", "bye").await;
    b.message("bye").await;
    b.alive().await;
    assert!(
        b.drain()
            .iter()
            .all(|frame| frame["content"] != "without bob")
    );
}

async fn a_new_member_sees_nothing_from_before(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob, carol) = lx.three().await;
    let group = alice.create_group("g").await;
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    for number in 0..5 {
        let id = format!("old{number}");
        a.say_in(group, &id, &id).await;
        a.stored(&id).await;
    }
    bob.join(group).await.ok();
    alice.invite(group, "carol").await.ok();
    a.say_in(group, "new", "new").await;
    let (_, seq) = a.stored("new").await;
    b.message("new").await;
    let mut c = carol.connect().await;
    c.message("new").await;
    for ws in [&mut b, &mut c] {
        ws.alive().await;
        let old = |frame: &Value| {
            frame["content"]
                .as_str()
                .is_some_and(|text| text.starts_with("old"))
        };
        assert!(
            !ws.drain().iter().any(old),
            "a new member was pushed what was said before"
        );
    }
    for user in [&bob, &carol] {
        for query in [
            "",
            "&after=0",
            "&before=4",
            "&entries=all",
            "&entries=all&after=0&limit=200",
        ] {
            let read = user.history(&format!("group_id={group}{query}")).await;
            let old = |entry: &&Value| {
                entry["content"]
                    .as_str()
                    .is_some_and(|text| text.starts_with("old"))
            };
            assert_eq!(
                read.iter().find(old),
                None,
                "{} read the past with {query:?}",
                user.name
            );
        }
        let read = user.history(&format!("group_id={group}")).await;
        assert_eq!(read.len(), 1, "{read:?}");
        assert_eq!(read[0]["seq"], seq);
        let key = read[0]["conversation"].as_str().expect("a key");
        let row = user.conversation(key).await.expect("a row");
        assert_eq!(row["unread"], 1, "the past is not unread: {row}");
    }
}
