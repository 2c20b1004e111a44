//! What the front end of the original systems relies on, each path, status and field by its name.

use serde_json::{Value, json};

use crate::harness::{Mode, User, filled, operations};

behaviours!(
    paths_and_bodies_are_as_they_were,
    frames_are_as_they_were,
    who_has_no_token_is_unauthorized,
);

/// These fields are there, and are integers.
fn has_numbers(value: &Value, fields: &[&str]) {
    for name in fields {
        assert!(value[name].is_i64(), "{name} of {value}");
    }
}

async fn paths_and_bodies_are_as_they_were(mode: Mode) {
    let lx = mode.start().await;
    let rest = lx.anonymous();
    let body = json!({"username": "alice", "password": "correct horse", "nickname": "Alice"});
    let answer = rest.post("user/register", body).await;
    assert_eq!(
        (answer.status, &answer.body),
        (200, &json!({"message": "register success"}))
    );
    let body = json!({"username": "alice", "password": "correct horse"});
    let answer = rest.post("user/login", body).await;
    assert_eq!(answer.status, 200);
    let token = answer.body["token"].as_str().expect("a token").to_owned();
    assert!(token.starts_with("eyJ") && token.split('.').count() == 3);
    let alice = rest.with_token(&token);
    let bob = lx.user("bob").await;

    let me = alice.get("user/me").await.ok();
    assert_eq!(
        (&me["username"], &me["nickname"]),
        (&json!("alice"), &json!("Alice"))
    );
    let found = alice.get("user/search?keyword=bob").await.ok();
    assert_eq!(found["users"][0]["username"], "bob");
    let group = alice
        .post("group/create", json!({"name": "Go学习小组"}))
        .await;
    assert_eq!(
        (group.status, &group.body["name"]),
        (200, &json!("Go学习小组"))
    );
    let id = group.body["id"].as_u64().expect("an id");
    let info = alice.get(&format!("group/info?group_id={id}")).await.ok();
    assert_eq!(info["max_count"], 200, "when nothing is said");
    let mine = alice.get("group/mygroups").await.ok();
    assert_eq!(mine["groups"][0]["id"], id);
    let members = format!("group/members?group_id={id}");
    bob.get(&members).await.fails(403, "not_member");
    let members = alice.get(&members).await.ok();
    assert_eq!(members["members"][0]["username"], "alice");
    let body = json!({"group_id": id, "target_username": "bob"});
    alice.post("group/invite", body).await.ok();

    let mut b = bob.connect().await;
    b.say_in(id, "m1", "hello").await;
    b.stored("m1").await;
    let list = alice.get("message/conversations").await.ok();
    let row = &list["conversations"][0];
    has_numbers(row, &["last_time", "unread"]);
    assert!(row["last_message"].is_object(), "{row}");
    let history = alice
        .get(&format!("message/history?group_id={id}"))
        .await
        .ok();
    let message = &history["messages"][0];
    assert_eq!(
        (
            &message["from"],
            &message["content"],
            &message["group_id"],
            &message["type"]
        ),
        (&json!("bob"), &json!("hello"), &json!(id), &json!(4))
    );
    let stranger = lx.user("carol").await;
    let history = format!("message/history?group_id={id}");
    stranger.get(&history).await.fails(403, "not_member");
}

async fn frames_are_as_they_were(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob): (User, User) = (lx.user("alice").await, lx.user("bob").await);
    let (mut a, mut b) = (alice.connect().await, bob.connect().await);
    a.send(json!({"type": 1, "msg_id": "h1"})).await;
    let ack = a.ack("h1").await;
    assert_eq!(
        ack,
        json!({"type": 3, "msg_id": "h1", "status": "received"})
    );
    // Who sends is written by the server, whatever the client says.
    a.send(json!({"type": 2, "msg_id": "m1", "from": "mallory", "to": "bob", "content": "hi"}))
        .await;
    for ws in [&mut a, &mut b] {
        let message = ws.message("hi").await;
        assert_eq!(
            (
                &message["type"],
                &message["from"],
                &message["to"],
                &message["msg_id"]
            ),
            (&json!(2), &json!("alice"), &json!("bob"), &json!("m1"))
        );
        has_numbers(&message, &["created_at", "id"]);
    }
    assert_eq!(a.ack("m1").await["status"], "delivered");
    b.close().await;
    let group = alice.create_group("climbers").await;
    bob.join(group).await.ok();
    let to = format!("group_{group}");
    a.send(json!({"type": 4, "msg_id": "m2", "to": to, "content": "all"}))
        .await;
    assert_eq!(a.message("all").await["group_id"], group);
    assert_eq!(a.ack("m2").await["status"], "stored");
    a.send(json!({"type": 2, "msg_id": "m3", "to": "nobody", "content": "hi"}))
        .await;
    assert_eq!(a.ack("m3").await["status"], "failed");
    // A newer connection closes the older one.
    let _newer = alice.connect().await;
    let kicked = a.event("kicked").await;
    assert_eq!(kicked["type"], 5);
    assert_eq!(a.closed().await.code, Some(4002));
}

async fn who_has_no_token_is_unauthorized(mode: Mode) {
    let lx = mode.start().await;
    let document = lx.anonymous().get("/api/openapi.json").await.ok();
    for (method, path, operation) in operations(&document) {
        if operation.get("security").is_none() || path == "/api/v1/ws" {
            continue;
        }
        let rest = if path.starts_with("/api/admin/") {
            lx.admin()
        } else {
            lx.anonymous()
        };
        let method = method.parse().expect("a method");
        let answer = rest.send(rest.request(method, &filled(&path))).await;
        answer.fails(401, "unauthorized");
    }
}
