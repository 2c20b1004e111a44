//! A client that stops reading: it is closed, nobody else notices, and it misses nothing.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{DEADLINE, Mode};

behaviours!(
    who_does_not_read_is_closed_and_resumes,
    escapes_do_not_close_slow_members,
);

const COUNT: usize = 2000;

async fn who_does_not_read_is_closed_and_resumes(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let (carol, dave) = (lx.user("carol").await, lx.user("dave").await);
    let mut a = alice.connect().await;
    let (mut c, mut d) = (carol.connect().await, dave.connect().await);
    // Answered once he is registered, so that what follows is delivered and not only stored.
    d.alive().await;
    // Connected, and never read: with its small buffer the kernel soon takes no more for it.
    let mut deaf = bob
        .link()
        .with_small_buffer()
        .open()
        .await
        .expect("a socket");

    // Sixteen megabytes, more than any buffer on the way, sixty-four messages in flight.
    let text = |number: usize| format!("{number} {}", "x".repeat(8 * 1024));
    let mut slowest = Duration::ZERO;
    for number in 0..COUNT + 64 {
        if number < COUNT {
            a.say("bob", &format!("m{number}"), &text(number)).await;
        }
        if number >= 64 {
            a.stored(&format!("m{}", number - 64)).await;
        }
        if number % 100 == 0 {
            // Meanwhile two others talk, and wait for nothing.
            let line = format!("line {number}");
            let start = Instant::now();
            c.say("dave", &line, &line).await;
            assert_eq!(c.ack(&line).await["status"], "delivered");
            d.message(&line).await;
            slowest = slowest.max(start.elapsed());
            a.forget(|frame| frame["type"] == 2);
        }
    }
    println!("the others' slowest message took {slowest:?}");
    assert!(
        slowest < DEADLINE / 4,
        "others waited {slowest:?} for the one who does not read"
    );

    // Only now does he look: some frames, and then the end.
    let mut got: BTreeMap<u64, String> = BTreeMap::new();
    let mut code = None;
    let reading = async {
        while let Some(Ok(message)) = deaf.next().await {
            match message {
                Message::Text(text) => keep(&mut got, &serde_json::from_str(&text).expect("JSON")),
                Message::Close(frame) => code = frame.map(|frame| u16::from(frame.code)),
                _ => {}
            }
        }
    };
    tokio::time::timeout(DEADLINE, reading)
        .await
        .expect("the connection was closed");
    println!("{} frames had come before the close {code:?}", got.len());
    assert!(code.is_none() || code == Some(4008), "{code:?}");
    assert!(
        got.len() < COUNT,
        "nothing was withheld from a client that does not read"
    );
    assert!(
        got.keys().copied().eq(1..=got.len() as u64),
        "a hole in what was pushed"
    );

    // Back again, reading this time: what is pushed, and what is pulled behind the gap, is everything.
    let mut b = bob.connect().await;
    let gap = b.event("gap").await;
    b.alive().await;
    for frame in b.drain() {
        keep(&mut got, &frame);
    }
    let mut after = gap["conversations"][0]["after"].as_u64().expect("after");
    loop {
        let path = format!("message/history?username=alice&entries=all&limit=200&after={after}");
        let page = bob.get(&path).await.ok();
        for entry in page["messages"].as_array().expect("messages") {
            keep(&mut got, entry);
            after = entry["seq"].as_u64().expect("seq");
        }
        if page["has_more"] != true {
            break;
        }
    }
    assert!(
        got.keys().copied().eq(1..=COUNT as u64),
        "{} of {COUNT}",
        got.len()
    );
    assert!(
        got.values()
            .enumerate()
            .all(|(number, content)| *content == text(number))
    );
    a.say("bob", "end", "end").await;
    assert_eq!(a.ack("end").await["status"], "delivered");
    b.message("end").await;
}

fn keep(got: &mut BTreeMap<u64, String>, frame: &Value) {
    if frame["type"] == 2 {
        let seq = frame["seq"].as_u64().expect("seq");
        let content = frame["content"].as_str().expect("content").to_owned();
        if let Some(before) = got.insert(seq, content.clone()) {
            assert_eq!(before, content, "two contents for seq {seq}");
        }
    }
}

async fn escapes_do_not_close_slow_members(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let group = alice.create_group("g").await;
    alice.invite(group, "bob").await.ok();
    let mut a = alice.connect().await;
    let mut slow = bob
        .link()
        .with_small_buffer()
        .open()
        .await
        .expect("a socket");
    // As a frame of the client it is not too large; as it would go out it is six times what was counted.
    let escapes = "\u{1}".repeat(10_800);
    for number in 0..200 {
        let msg_id = format!("m{number}");
        a.say_in(group, &msg_id, &escapes).await;
        let ack = a.ack(&msg_id).await;
        if number == 0 {
            println!("{ack}");
        }
        a.forget(|frame| frame["type"] == 4);
    }
    let heartbeat = json!({"type": 1, "msg_id": "still-there"});
    let _ = slow.send(Message::text(heartbeat.to_string())).await;
    let answered = async {
        while let Some(Ok(message)) = slow.next().await {
            match message {
                Message::Text(text) if text.contains("still-there") => return true,
                Message::Close(frame) => {
                    println!("closed: {frame:?}");
                    return false;
                }
                _ => {}
            }
        }
        false
    };
    let open = tokio::time::timeout(DEADLINE, answered).await;
    assert!(open.expect("an end"), "a slow member was closed");
}
