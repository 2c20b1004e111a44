//! WebSocket frames that are wrong: each gets its ACK, and the connection is usable afterwards.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{Mode, Ws};

behaviours!(
    heartbeats_are_answered,
    frames_that_are_no_json_objects,
    unknown_types,
    fields_of_the_wrong_type,
    recipients_that_do_not_exist,
    contents_of_every_size,
    contents_are_measured_as_they_go_out,
    control_characters_are_refused,
    a_byte_order_mark_is_skipped,
    a_frame_that_is_too_large,
    msg_ids_of_every_size,
    both_forms_of_a_group,
);

/// The next ACK with this msg_id is a refusal for `reason`, and the connection still works.
async fn refuses(ws: &mut Ws, frame: Value, msg_id: &str, reason: &str) {
    let text = frame.to_string();
    ws.send(frame).await;
    let ack = ws.refused(msg_id, reason).await;
    let why = ack["message"].as_str().unwrap_or_default();
    assert!(
        reason != "invalid_request" || !why.is_empty(),
        "{text}: no message: {ack}"
    );
    ws.alive().await;
}

async fn heartbeats_are_answered(mode: Mode) {
    let lx = mode.start().await;
    let mut ws = lx.user("alice").await.connect().await;
    for msg_id in ["ping", "小明"] {
        ws.send(json!({"type": 1, "msg_id": msg_id})).await;
        assert_eq!(ws.ack(msg_id).await["status"], "received");
    }
}

async fn frames_that_are_no_json_objects(mode: Mode) {
    let lx = mode.start().await;
    let mut ws = lx.user("alice").await.connect().await;
    let deep = "[".repeat(30_000);
    for text in [
        "",
        "{",
        "nonsense",
        "[]",
        "5",
        "null",
        "\"text\"",
        "{\"type\":2,",
        &deep,
    ] {
        ws.send_raw(Message::text(text)).await;
        ws.refused("", "invalid_request").await;
        ws.alive().await;
    }
    for bytes in [&b""[..], b"{\"type\":1}", &[0xff, 0x00]] {
        ws.send_raw(Message::binary(bytes.to_vec())).await;
        ws.refused("", "invalid_request").await;
        ws.alive().await;
    }
}

async fn unknown_types(mode: Mode) {
    let lx = mode.start().await;
    lx.user("bob").await;
    let mut ws = lx.user("alice").await.connect().await;
    for kind in [
        json!(0),
        json!(99),
        json!(-1),
        json!(3),
        json!(5),
        json!(6),
        json!("2"),
        json!(2.5),
        json!(null),
        json!([2]),
    ] {
        let frame = json!({"type": kind, "msg_id": "m1", "to": "bob", "content": "hi"});
        refuses(&mut ws, frame, "m1", "invalid_request").await;
    }
    refuses(
        &mut ws,
        json!({"msg_id": "m1", "to": "bob", "content": "hi"}),
        "m1",
        "invalid_request",
    )
    .await;
    refuses(&mut ws, json!({}), "", "invalid_request").await;
}

async fn fields_of_the_wrong_type(mode: Mode) {
    let lx = mode.start().await;
    lx.user("bob").await;
    let alice = lx.user("alice").await;
    let mut ws = alice.connect().await;
    let bad = [
        json!({"type": 2, "msg_id": "m1", "to": "bob", "content": 5}),
        json!({"type": 2, "msg_id": "m1", "to": "bob", "content": null}),
        json!({"type": 2, "msg_id": "m1", "to": "bob"}),
        json!({"type": 2, "msg_id": "m1", "to": ["bob"], "content": "hi"}),
        json!({"type": 2, "msg_id": "m1", "content": "hi"}),
        json!({"type": 2, "msg_id": "m1", "to": "", "content": "hi"}),
        json!({"type": 4, "msg_id": "m1", "content": "hi"}),
        json!({"type": 4, "msg_id": "m1", "group_id": "42x", "content": "hi"}),
        json!({"type": 4, "msg_id": "m1", "group_id": -1, "content": "hi"}),
        json!({"type": 4, "msg_id": "m1", "group_id": 1.5, "content": "hi"}),
        json!({"type": 4, "msg_id": "m1", "to": "group_0", "content": "hi"}),
        json!({"type": 4, "msg_id": "m1", "to": "group_99999999999999999999", "content": "hi"}),
        json!({"type": 7, "msg_id": "m1", "cursors": [1]}),
        json!({"type": 7, "msg_id": "m1", "cursors": {"d:1:2": "x"}}),
        json!({"type": 7, "msg_id": "m1"}),
        json!({"type": 8, "msg_id": "m1", "conversation": 5, "seq": 1, "kind": "read"}),
        json!({"type": 8, "msg_id": "m1", "conversation": "d:1:2", "seq": "1", "kind": "read"}),
        json!({"type": 8, "msg_id": "m1", "conversation": "d:1:2", "seq": 1, "kind": "burnt"}),
        json!({"type": 9, "msg_id": "m1", "to": 5}),
    ];
    for frame in bad {
        refuses(&mut ws, frame, "m1", "invalid_request").await;
    }
    for msg_id in [json!(5), json!(null), json!(["x"])] {
        let frame = json!({"type": 2, "msg_id": msg_id, "to": "bob", "content": "hi"});
        refuses(&mut ws, frame, "", "invalid_request").await;
    }
    refuses(
        &mut ws,
        json!({"type": 2, "to": "bob", "content": "hi"}),
        "",
        "invalid_request",
    )
    .await;
    assert!(alice.log("username=bob").await.is_empty());
    // Fields that nobody knows are no mistake.
    ws.send(json!({"type": 2, "msg_id": "m2", "to": "bob", "content": "hi", "mood": {"x": [1]}}))
        .await;
    ws.stored("m2").await;
}

async fn recipients_that_do_not_exist(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let group = bob.create_group("not hers").await;
    let mut ws = alice.connect().await;
    let frame = json!({"type": 2, "msg_id": "m1", "to": "nobody", "content": "hi"});
    refuses(&mut ws, frame, "m1", "user_not_found").await;
    let frame = json!({"type": 2, "msg_id": "m2", "to": "x".repeat(500), "content": "hi"});
    refuses(&mut ws, frame, "m2", "user_not_found").await;
    let frame = json!({"type": 4, "msg_id": "m3", "group_id": 999_999, "content": "hi"});
    refuses(&mut ws, frame, "m3", "group_not_found").await;
    let frame = json!({"type": 4, "msg_id": "m4", "group_id": group, "content": "hi"});
    refuses(&mut ws, frame, "m4", "not_member").await;
    // This attempt was refused; the same message may succeed later.
    alice.join(group).await.ok();
    ws.say_in(group, "m4", "hi").await;
    ws.stored("m4").await;
    // Nobody's cursors are moved by a receipt for a conversation that is none of one's own.
    ws.send(json!({"type": 8, "conversation": "d:1:999999", "seq": 5, "kind": "read"}))
        .await;
    ws.send(json!({"type": 7, "cursors": {"d:1:999999": 0, "g:999999": 0, "nonsense": 0}}))
        .await;
    ws.alive().await;
}

async fn contents_of_every_size(mode: Mode) {
    let lx = mode.start().await;
    let bob = lx.user("bob").await;
    let mut ws = lx.user("alice").await.connect().await;
    let mut b = bob.connect().await;
    let frame =
        |content: String| json!({"type": 2, "msg_id": "m1", "to": "bob", "content": content});
    refuses(&mut ws, frame(String::new()), "m1", "invalid_request").await;
    refuses(&mut ws, frame("x".repeat(20 * 1024)), "m1", "too_large").await;
    refuses(&mut ws, frame("x".repeat(16 * 1024 + 1)), "m1", "too_large").await;
    // Bytes count, not characters.
    refuses(&mut ws, frame("灵".repeat(6 * 1024)), "m1", "too_large").await;
    let full = "x".repeat(16 * 1024);
    ws.say("bob", "m2", &full).await;
    ws.stored("m2").await;
    b.message(&full).await;
    assert_eq!(bob.history("username=alice").await[0]["content"], *full);
}

async fn contents_are_measured_as_they_go_out(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    let half = 8 * 1024;
    for (number, unit) in ["\"", "\\", "\n", "\t"].into_iter().enumerate() {
        let fits = unit.repeat(half);
        a.say("bob", &format!("m{number}"), &fits).await;
        a.stored(&format!("m{number}")).await;
        let pushed = b.message(&fits).await;
        assert!(pushed.to_string().len() < 64 * 1024);
        let frame =
            json!({"type": 2, "msg_id": "m", "to": "bob", "content": unit.repeat(half + 1)});
        refuses(&mut a, frame, "m", "too_large").await;
    }
    // What the client escapes without need is counted as it is.
    let escaped = format!(
        r#"{{"type":2,"msg_id":"u","to":"bob","content":"{}"}}"#,
        "\\u0078".repeat(10_000)
    );
    a.send_raw(Message::text(escaped)).await;
    a.stored("u").await;
    assert_eq!(alice.log("username=bob").await.len(), 5);
}

async fn control_characters_are_refused(mode: Mode) {
    let lx = mode.start().await;
    lx.user("bob").await;
    let alice = lx.user("alice").await;
    let mut ws = alice.connect().await;
    for c in [
        "\0",
        "\u{1}",
        "\u{8}",
        "\u{b}",
        "\r",
        "\u{1b}[2J",
        "\u{1f}",
        "\u{7f}",
        "\u{85}",
        "\u{9b}",
    ] {
        let content = format!("a{c}b");
        let frame = json!({"type": 2, "msg_id": "m", "to": "bob", "content": content});
        refuses(&mut ws, frame, "m", "invalid_request").await;
    }
    let frame =
        json!({"type": 2, "msg_id": "m", "to": "bob", "content": "\u{1}".repeat(16 * 1024)});
    let text = frame.to_string();
    assert!(text.len() > 64 * 1024);
    refuses(&mut ws, frame, "", "too_large").await;
    ws.say("bob", "m", "a\tb\n\u{2028}\u{200d}").await;
    ws.stored("m").await;
    assert_eq!(alice.log("username=bob").await.len(), 1);
}

async fn a_byte_order_mark_is_skipped(mode: Mode) {
    let lx = mode.start().await;
    lx.user("bob").await;
    let mut ws = lx.user("alice").await.connect().await;
    let frame = json!({"type": 2, "msg_id": "m", "to": "bob", "content": "hi"});
    ws.send_raw(Message::text(format!("\u{feff}{frame}"))).await;
    ws.stored("m").await;
    ws.send_raw(Message::text("\u{feff}")).await;
    ws.refused("", "invalid_request").await;
}

async fn a_frame_that_is_too_large(mode: Mode) {
    let lx = mode.start().await;
    lx.user("bob").await;
    let alice = lx.user("alice").await;
    let mut ws = alice.connect().await;
    for size in [65 * 1024, 300_000] {
        ws.say("bob", "m1", &"x".repeat(size)).await;
        ws.refused("", "too_large").await;
        ws.alive().await;
    }
    ws.send_raw(Message::binary(vec![0; 70_000])).await;
    let ack = ws.ack("").await;
    assert_eq!(ack["status"], "failed");
    ws.alive().await;
    // Beyond a megabyte it is no longer worth reading.
    let frame = json!({"type": 2, "msg_id": "m2", "to": "bob", "content": "x".repeat(1_100_000)});
    ws.send_in_vain(frame).await;
    assert_eq!(ws.closed().await.code, Some(1009));
    assert!(alice.log("username=bob").await.is_empty());
    alice.connect().await.alive().await;
}

async fn msg_ids_of_every_size(mode: Mode) {
    let lx = mode.start().await;
    lx.user("bob").await;
    let mut ws = lx.user("alice").await.connect().await;
    let full = "i".repeat(64);
    ws.say("bob", &full, "hi").await;
    ws.stored(&full).await;
    for msg_id in ["", &"i".repeat(65), &"灵".repeat(22)] {
        ws.say("bob", msg_id, "hi").await;
        let ack = ws
            .expect("a refusal", |frame| {
                frame["type"] == 3 && frame["status"] == "failed"
            })
            .await;
        assert_eq!(ack["reason"], "invalid_request");
        ws.alive().await;
    }
}

async fn both_forms_of_a_group(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let group = alice.create_group("g").await;
    bob.join(group).await.ok();
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    let to = format!("group_{group}");
    a.send(json!({"type": 4, "msg_id": "m1", "to": to, "content": "by name"}))
        .await;
    a.stored("m1").await;
    a.say_in(group, "m2", "by id").await;
    a.stored("m2").await;
    let (one, two) = (b.message("by name").await, b.message("by id").await);
    for message in [&one, &two] {
        assert_eq!(
            (&message["type"], &message["group_id"]),
            (&json!(4), &json!(group))
        );
        assert_eq!(message["conversation"], one["conversation"]);
    }
}
