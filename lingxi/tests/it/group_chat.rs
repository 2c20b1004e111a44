//! A group speaks.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::harness::{Mode, Ws};

behaviours!(
    everyone_sees_one_order,
    a_group_message_is_stored,
    members_on_and_off_miss_nothing,
);

fn messages(frames: Vec<Value>) -> Vec<(u64, String)> {
    frames
        .into_iter()
        .filter(|frame| frame["type"] == 4)
        .map(|frame| {
            let text = frame["content"].as_str().expect("content").to_owned();
            (frame["seq"].as_u64().expect("seq"), text)
        })
        .collect()
}

async fn everyone_sees_one_order(mode: Mode) {
    const EACH: usize = 25;
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let group = alice.create_group("g").await;
    let mut sockets = vec![alice.connect().await];
    for name in ["bob", "carol", "dave"] {
        let user = lx.user(name).await;
        user.join(group).await.ok();
        sockets.push(user.connect().await);
    }
    let count = sockets.len() * EACH;
    let speak = |sender: usize, mut ws: Ws| async move {
        for number in 0..EACH {
            let text = format!("{sender}-{number}");
            ws.say_in(group, &text, &text).await;
        }
        let mut acked = BTreeMap::new();
        for number in 0..EACH {
            let text = format!("{sender}-{number}");
            let (_, seq) = ws.stored(&text).await;
            acked.insert(seq, text);
        }
        let mut seen = Vec::new();
        while seen.len() < count {
            let frame = ws
                .expect("a group message", |frame| frame["type"] == 4)
                .await;
            seen.extend(messages(vec![frame]));
        }
        (acked, seen)
    };
    let speaking = sockets
        .into_iter()
        .enumerate()
        .map(|(sender, ws)| speak(sender, ws));
    let results = futures_util::future::join_all(speaking).await;

    let (_, first) = &results[0];
    let start = first[0].0;
    let seqs: Vec<_> = first.iter().map(|(seq, _)| *seq).collect();
    let dense: Vec<_> = (start..start + seqs.len() as u64).collect();
    assert_eq!(seqs, dense, "ascending without a hole");
    for (acked, seen) in &results {
        assert_eq!(seen, first, "two members saw two orders");
        for (seq, text) in acked {
            assert!(
                first.contains(&(*seq, text.clone())),
                "the ACK of {text} said {seq}"
            );
        }
        // One sender's messages keep their order.
        let mut own: Vec<_> = acked.values().collect();
        own.sort_by_key(|text| {
            text.split('-')
                .next_back()
                .and_then(|number| number.parse::<usize>().ok())
        });
        assert!(acked.values().eq(own), "{acked:?}");
    }
    let log = messages(alice.log(&format!("group_id={group}")).await);
    assert_eq!(&log, first);
}

async fn a_group_message_is_stored(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let group = alice.create_group("g").await;
    bob.join(group).await.ok();
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    a.say_in(group, "m1", "hello all").await;
    let ack = a.ack("m1").await;
    assert_eq!(ack["status"], "stored", "{ack}");
    for ws in [&mut a, &mut b] {
        let message = ws.message("hello all").await;
        assert_eq!(message["type"], 4);
        assert_eq!(message["from"], "alice");
        assert_eq!(message["group_id"], group);
        assert_eq!((&message["id"], &message["seq"]), (&ack["id"], &ack["seq"]));
    }
    a.say_in(group, "m1", "hello all").await;
    let (id, _) = a.stored("m1").await;
    assert_eq!(ack["id"], id);
    a.say_in(group, "m2", "bye all").await;
    b.message("bye all").await;
    assert!(messages(b.drain()).is_empty(), "a repeat was pushed");
}

async fn members_on_and_off_miss_nothing(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let group = alice.create_group("g").await;
    bob.join(group).await.ok();
    let mut a = alice.connect().await;
    let mut seen = BTreeMap::new();
    // Bob comes and goes while alice speaks; what he saw on all his connections together is everything.
    for round in 0..5 {
        let mut b = bob.connect().await;
        for number in 0..10 {
            let text = format!("{round}-{number}");
            a.say_in(group, &text, &text).await;
        }
        let end = format!("{round}-{}", if round == 4 { 9 } else { 4 });
        let last = b.message(&end).await;
        seen.extend(messages(b.leave().await));
        seen.extend(messages(vec![last]));
    }
    let log: BTreeMap<_, _> = messages(alice.log(&format!("group_id={group}")).await)
        .into_iter()
        .collect();
    assert_eq!(log.len(), 50);
    assert_eq!(seen, log);
}
