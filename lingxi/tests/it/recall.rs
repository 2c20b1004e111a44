//! Taking a message back.

use serde_json::{Value, json};

use crate::harness::{Mode, Reply, User, Ws};

behaviours!(
    a_recalled_message_is_gone,
    only_the_sender_recalls,
    a_group_owner_recalls_anything,
    a_recall_reaches_who_was_away,
);

async fn say(ws: &mut Ws, text: &str) -> (u64, u64) {
    ws.say("bob", text, text).await;
    ws.stored(text).await
}

async fn recall(user: &User, id: u64) -> Reply {
    user.post("message/recall", json!({"id": id})).await
}

/// A recalled message: still there, its content gone.
#[track_caller]
fn is_recalled(message: &Value) {
    assert_eq!(message["recalled"], true, "{message}");
    let content = message.get("content").unwrap_or(&Value::Null);
    assert!(content.is_null() || content == "", "{message}");
}

async fn a_recalled_message_is_gone(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    say(&mut a, "before").await;
    let (id, seq) = say(&mut a, "oops").await;
    let answer = recall(&alice, id).await.ok();
    assert_eq!(answer["message"], "message recalled");
    assert_eq!(answer["seq"], 3, "the recall is an entry of its own");
    for ws in [&mut a, &mut b] {
        let event = ws.event("recalled").await;
        assert_eq!(
            (&event["target_seq"], &event["target_id"]),
            (&json!(seq), &json!(id))
        );
        assert_eq!(
            (&event["seq"], &event["from"]),
            (&json!(3), &json!("alice"))
        );
        assert_eq!(event["conversation"], answer["conversation"]);
    }
    say(&mut a, "after").await;
    for user in [&alice, &bob] {
        let other = if user.name == "alice" { "bob" } else { "alice" };
        let read = user.history(&format!("username={other}")).await;
        let seqs: Vec<_> = read.iter().map(|message| message["seq"].clone()).collect();
        assert_eq!(seqs, [1, 2, 4], "{read:#?}");
        is_recalled(&read[1]);
        let log = user.log(&format!("username={other}")).await;
        let seqs: Vec<_> = log.iter().map(|entry| entry["seq"].clone()).collect();
        assert_eq!(seqs, [1, 2, 3, 4], "no hole: {log:#?}");
        is_recalled(&log[1]);
        assert_eq!(
            (&log[2]["type"], &log[2]["event"]),
            (&json!(5), &json!("recalled"))
        );
        assert_eq!(log[2]["target_seq"], seq);
    }
    let rows = alice.get("message/conversations").await.ok();
    assert!(!rows.to_string().contains("oops"));
    // A repeat of the recalled message does not bring it back.
    a.say("bob", "oops", "oops").await;
    assert_eq!(a.stored("oops").await, (id, seq));
    is_recalled(&bob.history("username=alice").await[1]);
}

async fn only_the_sender_recalls(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob, eve) = (
        lx.user("alice").await,
        lx.user("bob").await,
        lx.user("eve").await,
    );
    let mut a = alice.connect().await;
    let (id, _) = say(&mut a, "mine").await;
    recall(&bob, id).await.fails(403, "forbidden");
    let reply = recall(&eve, id).await;
    assert!(reply.status == 403 || reply.status == 404, "{reply:?}");
    recall(&alice, 4_503_599_627_370_000)
        .await
        .fails(404, "message_not_found");
    let read = bob.history("username=alice").await;
    assert_eq!(read[0]["content"], "mine");
    assert_eq!(bob.log("username=alice").await.len(), 1);
}

async fn a_group_owner_recalls_anything(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob, carol) = lx.three().await;
    let group = alice.create_group("g").await;
    bob.join(group).await.ok();
    carol.join(group).await.ok();
    let (mut b, mut c) = (bob.connect().await, carol.connect().await);
    b.say_in(group, "m1", "rude").await;
    let (id, seq) = b.stored("m1").await;
    recall(&carol, id).await.fails(403, "forbidden");
    recall(&alice, id).await.ok();
    let event = c.event("recalled").await;
    assert_eq!(
        (&event["from"], &event["target_seq"]),
        (&json!("alice"), &json!(seq))
    );
    is_recalled(&carol.history(&format!("group_id={group}")).await[0]);
    b.say_in(group, "m2", "sorry").await;
    let (id, _) = b.stored("m2").await;
    recall(&bob, id).await.ok();
    // Who is no longer a member recalls nothing there.
    c.say_in(group, "m3", "hm").await;
    let (id, _) = c.stored("m3").await;
    alice.kick(group, "carol").await.ok();
    assert_eq!(recall(&carol, id).await.status, 403);
}

async fn a_recall_reaches_who_was_away(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    let (id, seq) = say(&mut a, "oops").await;
    let key = b.message("oops").await["conversation"]
        .as_str()
        .expect("a key")
        .to_owned();
    b.pinged().await;
    b.close().await;
    recall(&alice, id).await.ok();
    let mut b = bob.connect().await;
    say(&mut a, "end").await;
    let missed = b.before(&key, "end").await;
    let event = missed.iter().find(|frame| frame["event"] == "recalled");
    let event = event.unwrap_or_else(|| panic!("no recall on resume: {missed:#?}"));
    assert_eq!(
        (&event["target_seq"], &event["seq"]),
        (&json!(seq), &json!(2))
    );
}
