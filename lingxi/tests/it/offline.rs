//! Away and back: nothing is missed, and nothing comes again once the client's side has confirmed it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{Deployment, Mode, User, Ws, until_some};

behaviours!(
    what_was_missed_comes_oldest_first,
    what_was_confirmed_does_not_come_again,
    what_was_not_confirmed_comes_again,
    past_the_cap_there_is_a_gap,
    several_conversations_at_once,
    connecting_while_others_write,
);

async fn two(mode: Mode) -> (Deployment, User, User) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    (lx, alice, bob)
}

/// Sends `count` numbered messages, all in flight, and waits for their ACKs; answers the conversation's key.
async fn send_many(ws: &mut Ws, to: &str, count: usize) -> String {
    for number in 0..count {
        ws.say(to, &format!("m{number}"), &format!("{number}"))
            .await;
    }
    for number in 0..count {
        ws.stored(&format!("m{number}")).await;
    }
    let echo = ws.message("0").await;
    echo["conversation"].as_str().expect("a key").to_owned()
}

fn seqs(frames: &[Value]) -> Vec<u64> {
    frames
        .iter()
        .map(|frame| frame["seq"].as_u64().expect("seq"))
        .collect()
}

async fn what_was_missed_comes_oldest_first(mode: Mode) {
    let (_lx, alice, bob) = two(mode).await;
    // He has been here before, and has gone.
    bob.connect().await.close().await;
    let mut a = alice.connect().await;
    let key = send_many(&mut a, "bob", 30).await;
    let mut b = bob.connect().await;
    a.say("bob", "end", "end").await;
    let missed = b.before(&key, "end").await;
    assert_eq!(seqs(&missed), (1..=30).collect::<Vec<_>>());
    let contents: Vec<_> = missed
        .iter()
        .map(|frame| frame["content"].clone())
        .collect();
    let sent: Vec<_> = (0..30).map(|number| json!(number.to_string())).collect();
    assert_eq!(contents, sent);
    b.alive().await;
    assert!(
        b.drain().iter().all(|frame| frame["type"] != 2),
        "something came twice"
    );
}

/// The user comes back until nothing of the conversation comes, a gap included. Cursors are committed soon after the Pong,
/// so it may take another visit or two. What ends a visit is of another conversation, or there would be something new to
/// confirm each time.
async fn nothing_more_comes(lx: &Deployment, user: &User, conversation: &str) {
    let carol = lx.user("carol").await;
    let mut c = carol.connect().await;
    let mut round = 0;
    until_some("a visit without anything old", async || {
        round += 1;
        let marker = format!("marker {round}");
        let mut visit = user.connect().await;
        c.say(&user.name, &marker, &marker).await;
        visit.message(&marker).await;
        visit.pinged().await;
        let frames = visit.drain();
        visit.close().await;
        let old = |frame: &Value| frame["conversation"] == *conversation || frame["event"] == "gap";
        (!frames.iter().any(old)).then_some(())
    })
    .await;
}

async fn what_was_confirmed_does_not_come_again(mode: Mode) {
    let (lx, alice, bob) = two(mode).await;
    let mut a = alice.connect().await;
    let key = send_many(&mut a, "bob", 30).await;
    let mut b = bob.connect().await;
    b.message("29").await;
    b.pinged().await;
    b.close().await;
    nothing_more_comes(&lx, &bob, &key).await;
    let row = bob.conversation(&key).await.expect("a row");
    assert!(
        row["unread"].as_u64() >= Some(30),
        "delivered is not read: {row}"
    );
}

async fn what_was_not_confirmed_comes_again(mode: Mode) {
    let (_lx, alice, bob) = two(mode).await;
    let mut a = alice.connect().await;
    let key = send_many(&mut a, "bob", 10).await;
    // He reads every time and never answers a Ping: for all we know the frames died on the way.
    for round in 0..3 {
        let mut b = Ws::open(&bob.link().without_pongs()).await;
        let marker = format!("marker {round}");
        a.say("bob", &marker, &marker).await;
        let again = b.before(&key, &marker).await;
        assert_eq!(seqs(&again), (1..=10 + round).collect::<Vec<_>>());
        b.pinged().await;
        b.close().await;
    }
    // A receipt confirms as well as a Pong: up to where it says, and not further.
    let mut b = Ws::open(&bob.link().without_pongs()).await;
    b.send(json!({"type": 8, "conversation": key, "seq": 4, "kind": "delivered"}))
        .await;
    b.alive().await;
    drop(b);
    let mut round = 100;
    until_some("only what is behind the receipt comes", async || {
        round += 1;
        let marker = format!("marker {round}");
        let mut b = Ws::open(&bob.link().without_pongs()).await;
        a.say("bob", &marker, &marker).await;
        let again = seqs(&b.before(&key, &marker).await);
        let first = *again.first().expect("what was not confirmed");
        assert!(
            first == 1 || first == 5,
            "the cursor went past the receipt: {again:?}"
        );
        (first == 5).then_some(())
    })
    .await;
}

async fn past_the_cap_there_is_a_gap(mode: Mode) {
    let (lx, alice, bob) = two(mode).await;
    let mut a = alice.connect().await;
    let key = send_many(&mut a, "bob", 250).await;
    let mut b = bob.connect().await;
    let gap = b.event("gap").await;
    let named = gap["conversations"].as_array().expect("conversations");
    let named = named
        .iter()
        .find(|row| row["conversation"] == *key)
        .expect("the conversation");
    let (after, last) = (
        named["after"].as_u64().expect("after"),
        named["last_seq"].as_u64().expect("last_seq"),
    );
    assert_eq!(last, 250, "{gap}");
    assert!(after <= 100, "{gap}");
    let mut got: BTreeMap<u64, Value> = BTreeMap::new();
    let mut pushed = 0;
    b.alive().await;
    for frame in b.drain() {
        if frame["type"] == 2 {
            pushed += 1;
            got.insert(
                frame["seq"].as_u64().expect("seq"),
                frame["content"].clone(),
            );
        }
    }
    assert!(pushed <= 100, "at most 100 are pushed on connect: {pushed}");
    assert!(
        got.keys().copied().eq(1..=after),
        "pushed is what the gap says: {gap}"
    );
    // The rest is pulled in pages, as the contract says.
    let mut cursor = after;
    loop {
        let path = format!("message/history?username=alice&entries=all&limit=60&after={cursor}");
        let page = bob.get(&path).await.ok();
        for entry in page["messages"].as_array().expect("messages") {
            cursor = entry["seq"].as_u64().expect("seq");
            got.insert(cursor, entry["content"].clone());
        }
        if page["has_more"] != true {
            break;
        }
    }
    assert!(got.keys().copied().eq(1..=250));
    assert!(
        got.values()
            .enumerate()
            .all(|(number, content)| content.as_str() == Some(&number.to_string()))
    );
    // A live message comes although there was a gap, and a receipt ends the matter.
    a.say("bob", "live", "live").await;
    b.message("live").await;
    b.send(json!({"type": 8, "conversation": key, "seq": 251, "kind": "delivered"}))
        .await;
    b.pinged().await;
    b.close().await;
    nothing_more_comes(&lx, &bob, &key).await;
}

async fn several_conversations_at_once(mode: Mode) {
    let (lx, alice, bob) = two(mode).await;
    let carol = lx.user("carol").await;
    let group = alice.create_group("g").await;
    bob.join(group).await.ok();
    let (mut a, mut c) = (alice.connect().await, carol.connect().await);
    for number in 0..10 {
        a.say("bob", &format!("p{number}"), &format!("p{number}"))
            .await;
        a.say_in(group, &format!("g{number}"), &format!("g{number}"))
            .await;
        c.say("bob", &format!("c{number}"), &format!("c{number}"))
            .await;
    }
    for number in 0..10 {
        a.stored(&format!("p{number}")).await;
        a.stored(&format!("g{number}")).await;
        c.stored(&format!("c{number}")).await;
    }
    let mut b = bob.connect().await;
    let mut seen: BTreeMap<char, Vec<String>> = BTreeMap::new();
    for _ in 0..30 {
        let frame = b
            .expect("a message", |frame| {
                frame["type"] == 2 || frame["type"] == 4
            })
            .await;
        let text = frame["content"].as_str().expect("content").to_owned();
        seen.entry(text.chars().next().expect("a letter"))
            .or_default()
            .push(text);
    }
    for (letter, texts) in seen {
        let sent: Vec<_> = (0..10).map(|number| format!("{letter}{number}")).collect();
        assert_eq!(texts, sent);
    }
}

async fn connecting_while_others_write(mode: Mode) {
    // Fewer than are pushed on connect, so that no gap comes in between.
    const COUNT: u64 = 95;
    let (_lx, alice, bob) = two(mode).await;
    let mut a = alice.connect().await;
    // The races between what is read from the store and what is pushed live: connect in the middle of a stream.
    let writing = tokio::spawn(async move {
        for number in 1..=COUNT {
            a.say("bob", &format!("m{number}"), &number.to_string())
                .await;
            a.stored(&format!("m{number}")).await;
        }
    });
    let mut seen: BTreeMap<u64, Value> = BTreeMap::new();
    while seen.len() < COUNT as usize {
        let mut b = bob.connect().await;
        let mut last = 0;
        for _ in 0..4 {
            let frame = b.expect("a message", |frame| frame["type"] == 2).await;
            let seq = frame["seq"].as_u64().expect("seq");
            assert!(last == 0 || seq == last + 1, "{seq} came after {last}");
            last = seq;
            seen.insert(seq, frame["content"].clone());
            if seq == COUNT {
                break;
            }
        }
        for frame in b.leave().await {
            if frame["type"] == 2 {
                seen.insert(
                    frame["seq"].as_u64().expect("seq"),
                    frame["content"].clone(),
                );
            }
        }
    }
    writing.await.expect("alice wrote everything");
    let sent: Vec<_> = (1..=COUNT)
        .map(|number| (number, json!(number.to_string())))
        .collect();
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), sent);
}
