//! One writes, the other reads.

use serde_json::{Value, json};

use crate::harness::{Deployment, Mode, User, Ws};

behaviours!(
    a_message_arrives_and_is_echoed,
    who_is_away_gets_it_stored,
    a_repeat_is_stored_once,
    a_repeat_on_another_connection,
    the_same_msg_id_of_two_senders,
    seqs_are_dense,
    from_is_written_by_the_server,
    a_message_to_oneself,
    names_are_found_in_any_case,
    a_repeat_with_another_text_is_refused,
    two_texts_under_one_msg_id_at_once,
);

async fn two(mode: Mode) -> (Deployment, User, User) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    (lx, alice, bob)
}

async fn a_message_arrives_and_is_echoed(mode: Mode) {
    let (_lx, alice, bob) = two(mode).await;
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    let content = "hi 你好 👋 \"quoted\" \\ \n new line";
    a.say("bob", "m1", content).await;
    let ack = a.ack("m1").await;
    assert_eq!(ack["status"], "delivered", "{ack}");
    for ws in [&mut a, &mut b] {
        let message = ws.message(content).await;
        assert_eq!(message["type"], 2);
        assert_eq!(message["msg_id"], "m1");
        assert_eq!(message["from"], "alice");
        assert_eq!(message["to"], "bob");
        assert_eq!((&message["id"], &message["seq"]), (&ack["id"], &ack["seq"]));
        assert_eq!(message["seq"], 1);
        assert!(message["id"].as_u64().expect("an id") < 1 << 53);
        assert!(message["created_at"].as_u64().expect("milliseconds") > 1_700_000_000_000);
        assert!(message["conversation"].is_string());
    }
    // And the other way, in the same conversation.
    b.say("alice", "m1", "hello").await;
    assert_eq!(b.stored("m1").await.1, 2);
    let back = a.message("hello").await;
    assert_eq!(
        (&back["from"], &back["to"], &back["seq"]),
        (&json!("bob"), &json!("alice"), &json!(2))
    );
}

async fn who_is_away_gets_it_stored(mode: Mode) {
    let (_lx, alice, bob) = two(mode).await;
    let mut a = alice.connect().await;
    a.say("bob", "m1", "are you there?").await;
    let ack = a.ack("m1").await;
    assert_eq!(ack["status"], "stored", "{ack}");
    // Committed means readable, at once.
    let read = alice.history("username=bob").await;
    assert_eq!(read.len(), 1);
    assert_eq!((&read[0]["id"], &read[0]["seq"]), (&ack["id"], &ack["seq"]));
    let mut b = bob.connect().await;
    let message = b.message("are you there?").await;
    assert_eq!(message["id"], ack["id"]);
    a.say("bob", "m2", "now you are").await;
    assert_eq!(a.ack("m2").await["status"], "delivered");
    b.message("now you are").await;
}

async fn a_repeat_is_stored_once(mode: Mode) {
    let (_lx, alice, bob) = two(mode).await;
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    a.say("bob", "m1", "once").await;
    let first = a.stored("m1").await;
    a.say("bob", "m1", "once").await;
    assert_eq!(a.stored("m1").await, first);
    // Many in flight at once, none answered yet.
    for _ in 0..5 {
        a.say("bob", "m2", "twice").await;
    }
    let second = a.stored("m2").await;
    for _ in 0..4 {
        assert_eq!(a.stored("m2").await, second);
    }
    a.say("bob", "m3", "last").await;
    assert_eq!(a.stored("m3").await.1, 3);
    let conversation = b.message("last").await["conversation"].clone();
    let got: Vec<_> = b
        .drain()
        .into_iter()
        .filter(|frame| frame["conversation"] == conversation)
        .collect();
    let contents: Vec<_> = got.iter().map(|frame| frame["content"].clone()).collect();
    assert_eq!(
        contents,
        ["once", "twice"],
        "the recipient was pushed a repeat"
    );
    let log = bob.log("username=alice").await;
    let stored: Vec<_> = log.iter().map(|entry| entry["msg_id"].clone()).collect();
    assert_eq!(stored, ["m1", "m2", "m3"]);
}

async fn a_repeat_on_another_connection(mode: Mode) {
    let (mut lx, alice, bob) = two(mode).await;
    let mut a = alice.connect().await;
    a.say("bob", "m1", "once").await;
    let first = a.stored("m1").await;
    drop(a);
    let mut a = alice.connect().await;
    a.say("bob", "m1", "once").await;
    assert_eq!(a.stored("m1").await, first);
    // Not even a restart forgets it.
    lx.kill9().await;
    lx.restart().await;
    let mut a = alice.connect().await;
    a.say("bob", "m1", "once").await;
    assert_eq!(a.stored("m1").await, first);
    assert_eq!(bob.log("username=alice").await.len(), 1);
}

async fn the_same_msg_id_of_two_senders(mode: Mode) {
    let (_lx, alice, bob) = two(mode).await;
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    let carol = _lx.user("carol").await;
    a.say("bob", "m1", "from alice").await;
    let one = a.stored("m1").await;
    b.say("alice", "m1", "from bob").await;
    let two = b.stored("m1").await;
    assert_ne!(one, two, "a msg_id is unique to its sender only");
    // Nor is it the same message in another conversation.
    a.say("carol", "m1", "to carol").await;
    let three = a.stored("m1").await;
    assert_ne!(one.0, three.0);
    assert_eq!(three.1, 1);
    assert_eq!(alice.log("username=bob").await.len(), 2);
    assert_eq!(carol.log("username=alice").await.len(), 1);
}

async fn seqs_are_dense(mode: Mode) {
    let (_lx, alice, bob) = two(mode).await;
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    // Both at once, all in flight, with repeats and refusals in between: none of these leaves a hole.
    for number in 0..20 {
        a.say("bob", &format!("a{number}"), &format!("a{number}"))
            .await;
        b.say("alice", &format!("b{number}"), &format!("b{number}"))
            .await;
        a.say("bob", &format!("a{number}"), &format!("a{number}"))
            .await;
        a.say("bob", &format!("empty{number}"), "").await;
    }
    let mut seqs = Vec::new();
    for number in 0..20 {
        seqs.push(a.stored(&format!("a{number}")).await.1);
        seqs.push(b.stored(&format!("b{number}")).await.1);
        a.refused(&format!("empty{number}"), "invalid_request")
            .await;
    }
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=40).collect::<Vec<_>>());
    // Both see one order.
    let order = |frames: Vec<Value>| -> Vec<(u64, String)> {
        let messages = frames.into_iter().filter(|frame| frame["type"] == 2);
        messages
            .map(|frame| {
                (
                    frame["seq"].as_u64().expect("seq"),
                    frame["content"].to_string(),
                )
            })
            .collect()
    };
    a.say("bob", "end", "end").await;
    let (last_a, last_b) = (a.message("end").await, b.message("end").await);
    assert_eq!(last_a["seq"], last_b["seq"]);
    let (seen_a, seen_b) = (order(a.drain()), order(b.drain()));
    assert_eq!(seen_a, seen_b);
    assert!(seen_a.iter().map(|(seq, _)| *seq).eq(1..=40), "{seen_a:?}");
}

async fn from_is_written_by_the_server(mode: Mode) {
    let (_lx, alice, bob) = two(mode).await;
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    let mut frame =
        json!({"type": 2, "msg_id": "m1", "to": "bob", "content": "trust me", "from": "root"});
    frame["seq"] = json!(77);
    frame["id"] = json!(1);
    frame["created_at"] = json!(1);
    a.send(frame).await;
    let (id, seq) = a.stored("m1").await;
    assert_eq!(seq, 1);
    assert_ne!(id, 1);
    let message = b.message("trust me").await;
    assert_eq!(message["from"], "alice");
    assert!(message["created_at"].as_u64() > Some(1));
    assert_eq!(bob.history("username=alice").await[0]["from"], "alice");
}

async fn a_message_to_oneself(mode: Mode) {
    let (_lx, alice, _bob) = two(mode).await;
    let mut a = alice.connect().await;
    a.say("alice", "m1", "note to self").await;
    let ack = a.ack("m1").await;
    assert_eq!(
        (&ack["status"], &ack["seq"]),
        (&json!("delivered"), &json!(1))
    );
    let message = a.message("note to self").await;
    assert_eq!(
        (&message["from"], &message["to"]),
        (&json!("alice"), &json!("alice"))
    );
    a.say("alice", "m2", "another").await;
    a.message("another").await;
    a.alive().await;
    let again = a
        .drain()
        .into_iter()
        .filter(|frame| frame["type"] == 2)
        .count();
    assert_eq!(again, 0, "it came twice");
    assert_eq!(alice.history("username=alice").await.len(), 2);
}

async fn names_are_found_in_any_case(mode: Mode) {
    let (_lx, alice, bob) = two(mode).await;
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    a.say("bob", "m1", "one").await;
    a.say("BOB", "m2", "two").await;
    let (one, two) = (b.message("one").await, b.message("two").await);
    assert_eq!(one["conversation"], two["conversation"]);
    assert_eq!((&one["to"], &two["to"]), (&json!("bob"), &json!("bob")));
    assert_eq!(alice.history("username=Bob").await.len(), 2);
}

async fn a_repeat_with_another_text_is_refused(mode: Mode) {
    let (_lx, alice, bob) = two(mode).await;
    let mut a = alice.connect().await;
    a.say("bob", "m1", "first").await;
    let first = a.stored("m1").await;
    let refused = async |a: &mut Ws, text: &str| {
        a.say("bob", "m1", text).await;
        let ack = a.refused("m1", "idempotency_conflict").await;
        let said = ack["message"].as_str().expect("a sentence");
        assert!(said.contains("msg_id"), "{ack}");
    };
    for text in ["second", "First", "first ", "firs", "первый"] {
        refused(&mut a, text).await;
    }
    a.say("bob", "m1", "first").await;
    assert_eq!(a.stored("m1").await, first, "the same text is a repeat");

    // On another connection, too, and when its text was taken back.
    drop(a);
    let mut a = alice.connect().await;
    refused(&mut a, "second").await;
    let recalled = alice.post("message/recall", json!({"id": first.0})).await;
    assert_eq!(recalled.status, 200, "{recalled:?}");
    refused(&mut a, "second").await;
    refused(&mut a, " ").await;
    a.say("bob", "m1", "first").await;
    assert_eq!(a.stored("m1").await, first, "recalled, and still the same");

    let read = bob.history("username=alice").await;
    assert_eq!(read.len(), 1, "{read:?}");
    assert_eq!(read[0]["recalled"], true);
}

async fn two_texts_under_one_msg_id_at_once(mode: Mode) {
    let (lx, alice, bob) = two(mode).await;
    let carol = lx.user("carol").await;
    let mut a = alice.connect().await;
    // They mostly come into one batch.
    for n in 0..10 {
        let msg_id = format!("m{n}");
        for text in ["one", "two", "one"] {
            a.say("bob", &msg_id, text).await;
        }
        a.say("carol", &msg_id, "two").await;
    }
    for n in 0..10 {
        let msg_id = format!("m{n}");
        let mut acks = Vec::new();
        for _ in 0..4 {
            acks.push(a.ack(&msg_id).await);
        }
        let refused: Vec<_> = acks
            .iter()
            .filter(|ack| ack["status"] == "failed")
            .collect();
        assert_eq!(refused.len(), 1, "{acks:?}");
        assert_eq!(refused[0]["reason"], "idempotency_conflict", "{acks:?}");
    }
    for (user, text) in [(&bob, "one"), (&carol, "two")] {
        let read = user.history("username=alice&limit=50").await;
        assert_eq!(read.len(), 10, "another conversation is another message");
        assert!(read.iter().all(|m| m["content"] == text), "{read:?}");
    }
}
