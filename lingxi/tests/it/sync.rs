//! Type 7: a device says what it has, and gets what comes after.

use serde_json::json;

use crate::harness::{Mode, Ws};

behaviours!(
    a_device_gets_what_it_lacks,
    other_peoples_conversations_stay_theirs,
    large_entries_never_close_who_asks_for_them,
);

async fn send_ten(ws: &mut Ws, to: &str) -> String {
    for number in 1..=10 {
        ws.say(to, &format!("m{number}"), &format!("{number}"))
            .await;
        ws.stored(&format!("m{number}")).await;
    }
    ws.message("1").await["conversation"]
        .as_str()
        .expect("a key")
        .to_owned()
}

async fn a_device_gets_what_it_lacks(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    let key = send_ten(&mut a, "bob").await;
    b.message("10").await;
    b.pinged().await;
    b.alive().await;
    b.drain();
    // Confirmed, and yet this device asks: it was set up anew, say.
    b.send(json!({"type": 7, "cursors": {&key: 4}})).await;
    b.alive().await;
    a.say("bob", "end", "end").await;
    let again = b.before(&key, "end").await;
    let seqs: Vec<_> = again.iter().map(|frame| frame["seq"].clone()).collect();
    assert_eq!(seqs, [5, 6, 7, 8, 9, 10]);
    assert_eq!(again[0]["content"], "5");
    // With everything in hand there is nothing to send.
    b.send(json!({"type": 7, "cursors": {&key: 11}})).await;
    b.send(json!({"type": 7, "cursors": {}})).await;
    b.alive().await;
    a.say("bob", "end2", "end2").await;
    assert!(b.before(&key, "end2").await.is_empty());
}

async fn other_peoples_conversations_stay_theirs(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob, eve) = (
        lx.user("alice").await,
        lx.user("bob").await,
        lx.user("eve").await,
    );
    let (mut a, mut e) = (alice.connect().await, eve.connect().await);
    let key = send_ten(&mut a, "bob").await;
    let group = alice.create_group("secret").await;
    a.say_in(group, "g1", "for members").await;
    a.stored("g1").await;
    let group_key = a.message("for members").await["conversation"]
        .as_str()
        .expect("a key")
        .to_owned();
    e.send(json!({"type": 7, "cursors": {&key: 0, &group_key: 0, "g:0": 0, "x": 0}}))
        .await;
    e.send(json!({"type": 8, "conversation": &key, "seq": 10, "kind": "read"}))
        .await;
    e.refused("", "forbidden").await;
    a.say("eve", "end", "end").await;
    e.message("end").await;
    e.alive().await;
    let got = e.drain();
    assert!(
        got.iter()
            .all(|frame| frame["conversation"] != *key && frame["conversation"] != *group_key),
        "eve was pushed what is not hers: {got:?}"
    );
    // Her receipt moved nobody's cursor and told nobody anything.
    a.alive().await;
    assert!(a.drain().iter().all(|frame| frame["event"] != "read"));
    assert_eq!(bob.conversation(&key).await.expect("a row")["unread"], 10);
}

async fn large_entries_never_close_who_asks_for_them(mode: Mode) {
    const COUNT: u64 = 300;
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut a = alice.connect().await;
    let large = "\"".repeat(8 * 1024);
    for number in 1..=COUNT {
        let msg_id = format!("m{number}");
        a.say("bob", &msg_id, &large).await;
        a.stored(&msg_id).await;
        a.forget(|frame| frame["type"] == 2);
    }
    let mut b = bob.connect().await;
    let first = b.message(&large).await;
    let key = first["conversation"].as_str().expect("a key").to_owned();
    for _ in 0..20 {
        // More than once at a time: what waits counts too.
        for _ in 0..3 {
            b.send(json!({"type": 7, "cursors": {&key: 0}})).await;
        }
        b.alive().await;
    }
    // A device that follows its gaps has everything in the end.
    b.drain();
    let mut have = 0;
    while have < COUNT {
        b.send(json!({"type": 7, "cursors": {&key: have}})).await;
        let before = have;
        if COUNT - have > 100 {
            let gap = b.event("gap").await;
            have = gap["conversations"][0]["after"].as_u64().expect("after");
        } else {
            b.expect("the last", |frame| frame["seq"] == COUNT).await;
            have = COUNT;
        }
        assert!(have > before, "nothing came behind {before}");
    }
    a.say("bob", "end", "end").await;
    b.message("end").await;
}
