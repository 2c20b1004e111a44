//! What scripts do in it: JSON, a status at the end, and everything in order.

use serde_json::json;

use crate::harness::{Mode, until};

use super::Client;

behaviours!(
    every_line_is_json,
    a_line_that_is_none_ends_it,
    a_repeated_message_is_waited_for_once,
    a_status_says_whether_all_was_done,
    limits_slow_a_script_and_lose_nothing,
    a_backlog_is_shown_once_and_in_order,
    the_next_session_is_shown_what_is_new,
);

async fn every_line_is_json(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let group = alice.create_group("g").await;
    let b = Client::of(&bob, &["--json", "--follow"]);
    b.says("connected").await;
    let mut a = Client::of(&alice, &["--json"]);
    a.types(r#"{"to":"bob","content":"hi","msg_id":"mine"}"#);
    a.types(&json!({"group_id": group, "content": "all"}).to_string());
    a.types("/groups");
    a.ends_input();
    a.succeeds().await;
    let objects = a.objects();
    let find =
        |what: &dyn Fn(&serde_json::Value) -> bool| objects.iter().filter(|o| what(o)).count();
    assert_eq!(find(&|o| o["client"] == "connected"), 1);
    let sent = json!({"type": 2, "msg_id": "mine", "to": "bob", "content": "hi"});
    assert_eq!(find(&|o| o["client"] == "sent" && o["frame"] == sent), 1);
    assert_eq!(
        find(&|o| o["type"] == 3 && o["msg_id"] == "mine" && o["status"] == "delivered"),
        1
    );
    assert_eq!(
        find(&|o| o["type"] == 2 && o["msg_id"] == "mine" && o["seq"] == 1),
        1
    );
    assert_eq!(find(&|o| o["type"] == 4 && o["content"] == "all"), 1);
    let answer = |o: &serde_json::Value| {
        o["client"] == "answer" && o["command"] == "groups" && o["body"]["groups"][0]["id"] == group
    };
    assert_eq!(find(&answer), 1);
    b.says(r#""msg_id":"mine""#).await;
    b.objects();
    // What was shown does not come again, once the server knows.
    until("only what is new is shown", async || {
        let mut again = Client::of(&alice, &["--json", "--to", "alice"]);
        again.types("a note");
        again.ends_input();
        again.succeeds().await;
        let objects = again.objects();
        let shown = objects.iter().filter(|o| o["type"] == 2 || o["type"] == 4);
        shown.count() == 1
    })
    .await;
    // Each is a frame of the server or an event of the client's.
    assert!(
        objects
            .iter()
            .all(|o| o["type"].is_u64() != o["client"].is_string())
    );
}

async fn a_status_says_whether_all_was_done(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let mut a = Client::of(&alice, &["--json"]);
    a.types("hi");
    a.types("{no");
    a.types(r#"{"to":"nobody","content":"hi"}"#);
    a.types("/group 4711");
    a.types(r#"{"to":"alice","content":"a note"}"#);
    a.ends_input();
    let (status, errors) = a.ends().await;
    assert_eq!(status.code(), Some(1), "{errors}");
    assert_eq!(
        errors,
        "lingxi: 1 of 2 messages were refused: user_not_found (1); \
         3 of 3 commands were not done: group_not_found (1), usage (2)"
    );
    let refused = a.objects().into_iter().filter(|o| o["client"] == "refused");
    let lines: Vec<_> = refused.map(|o| o["line"].clone()).collect();
    assert_eq!(lines, ["hi", "{no", "/group 4711"]);
    assert_eq!(alice.history("username=alice").await.len(), 1);
}

async fn a_line_that_is_none_ends_it(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let mut a = Client::of(&alice, &["--to", "alice"]);
    a.types("a note");
    a.types(&"x".repeat(200_000));
    a.ends_input();
    let (status, errors) = a.ends().await;
    assert_eq!(status.code(), Some(1));
    assert_eq!(errors, "lingxi: 1 of 1 commands were not done: usage (1)");
    assert_eq!(alice.history("username=alice").await.len(), 1);
}

/// It came before, and does not come again.
async fn a_repeated_message_is_waited_for_once(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let begun = std::time::Instant::now();
    let mut a = Client::of(&alice, &["--to", "alice", "--json"]);
    for msg_id in ["a", "a", "b", "c"] {
        a.types(&json!({"content": msg_id, "msg_id": msg_id}).to_string());
    }
    a.ends_input();
    a.succeeds().await;
    // The wait for one is 10 s.
    assert!(begun.elapsed().as_secs() < 18, "{:?}", begun.elapsed());
    assert_eq!(alice.history("username=alice").await.len(), 3);
}

async fn limits_slow_a_script_and_lose_nothing(mode: Mode) {
    let lx = mode.with("LINGXI__RATE_LIMITS", "on").start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut a = Client::of(&alice, &["--to", "bob", "--json"]);
    let lines: Vec<String> = (1..=90).map(|number| format!("line {number}")).collect();
    for line in &lines {
        a.types(line);
    }
    a.ends_input();
    a.succeeds().await;
    let limited = a.objects().iter().any(|o| o["reason"] == "rate_limited");
    assert!(limited, "no limit was met");
    let stored = bob.history("username=alice&limit=200").await;
    let stored: Vec<_> = stored
        .iter()
        .filter_map(|m| m["content"].as_str())
        .collect();
    assert_eq!(stored, lines);
}

async fn a_backlog_is_shown_once_and_in_order(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let mut ws = alice.connect().await;
    // More than is pushed, and more than a page of history has.
    for number in 1..=450 {
        ws.say("bob", &format!("m{number}"), &format!("{number}"))
            .await;
    }
    ws.stored("m450").await;
    let mut b = Client::of(&bob, &["--expect", "450"]);
    b.succeeds().await;
    let objects = b.objects();
    let gap = objects.iter().any(|o| o["event"] == "gap");
    assert!(gap, "there was no gap");
    let shown = objects.iter().filter(|o| o["type"] == 2);
    let shown: Vec<_> = shown.map(|o| o["seq"].as_u64().expect("a seq")).collect();
    assert_eq!(shown, Vec::from_iter(1..=450));
    // All of it was read, and none comes again.
    until("it is read", async || {
        let list = bob.get("message/conversations").await.ok();
        list["conversations"][0]["unread"] == 0
    })
    .await;
    let mut again = Client::of(&bob, &["--json"]);
    again.types(r#"{"to":"bob","content":"a note"}"#);
    again.ends_input();
    again.succeeds().await;
    let objects = again.objects();
    let shown: Vec<_> = objects.iter().filter(|o| o["type"] == 2).collect();
    assert_eq!(shown.len(), 1, "{shown:?}");
}

async fn the_next_session_is_shown_what_is_new(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let group = alice.create_group("g").await;
    bob.join(group).await.ok();
    let mut ws = alice.connect().await;
    for number in 1..=5 {
        let (id, content) = (format!("m{number}"), format!("{number}"));
        match number % 2 {
            0 => ws.say_in(group, &id, &content).await,
            _ => ws.say("bob", &id, &content).await,
        }
        ws.stored(&id).await;
        // Each begins where the one before has just ended.
        let mut b = Client::of(&bob, &["--expect", "1"]);
        b.succeeds().await;
        let objects = b.objects();
        let messages = objects.iter().filter(|o| o["type"] == 2 || o["type"] == 4);
        let shown: Vec<_> = messages.map(|o| o["content"].clone()).collect();
        assert_eq!(shown, [content]);
    }
}
