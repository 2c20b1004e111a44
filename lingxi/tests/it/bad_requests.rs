//! REST requests that are wrong: each gets the contract's error, and the server stays usable.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::Mode;

behaviours!(
    a_body_that_is_no_json,
    a_field_is_named,
    unknown_fields_are_ignored,
    unknown_paths_and_methods,
    ids_that_are_none,
    a_body_that_is_too_large,
);

async fn a_body_that_is_no_json(mode: Mode) {
    let lx = mode.start().await;
    let rest = lx.anonymous();
    for body in [
        "",
        "{",
        "{\"username\":",
        "nonsense",
        "[]",
        "null",
        "\"text\"",
        "{\"username\":\"\u{0}",
    ] {
        let request = rest
            .request(Method::POST, "user/login")
            .header("content-type", "application/json")
            .body(body);
        rest.send(request).await.fails(400, "invalid_request");
    }
    let request = rest
        .request(Method::POST, "user/login")
        .header("content-type", "application/json")
        .body(vec![b'{', 0xff, 0xfe, b'}']);
    rest.send(request).await.fails(400, "invalid_request");
    rest.register("alice", "correct horse").await.ok();
}

async fn a_field_is_named(mode: Mode) {
    let lx = mode.start().await;
    let rest = lx.anonymous();
    let login = async |body: Value| rest.post("user/login", body).await;
    login(json!({"username": "alice"})).await.blames("password");
    login(json!({"password": "correct horse"}))
        .await
        .blames("username");
    login(json!({"username": 5, "password": "correct horse"}))
        .await
        .blames("username");
    login(json!({"username": "alice", "password": ["x"]}))
        .await
        .blames("password");
    login(json!({"username": null, "password": "correct horse"}))
        .await
        .blames("username");
    login(json!({})).await.fails(400, "invalid_request");

    let alice = lx.user("alice").await;
    alice.post("group/create", json!({})).await.blames("name");
    alice
        .post("group/create", json!({"name": "g", "max_count": "many"}))
        .await
        .blames("max_count");
    for count in [-1, 0, 1, 5001] {
        alice
            .post("group/create", json!({"name": "g", "max_count": count}))
            .await
            .blames("max_count");
    }
    for name in ["", "a\u{1}b", &"n".repeat(65)] {
        alice
            .post("group/create", json!({"name": name}))
            .await
            .blames("name");
    }
    alice
        .post("contact/add", json!({"remark": "x"}))
        .await
        .blames("username");
    alice
        .post("group/invite", json!({"group_id": 1}))
        .await
        .blames("target_username");
    alice.post("ai/chat", json!({})).await.blames("message");
    alice
        .post("ai/chat", json!({"message": ""}))
        .await
        .blames("message");
}

async fn unknown_fields_are_ignored(mode: Mode) {
    let lx = mode.start().await;
    let body = json!({"username": "alice", "password": "correct horse", "role": "admin", "id": 7, "x": {"y": []}});
    lx.anonymous().post("user/register", body).await.ok();
    let login = lx.anonymous().login("alice", "correct horse").await.ok();
    assert_eq!(login["user"]["role"].as_str().unwrap_or("user"), "user");
    assert_ne!(login["user"]["id"], 7);
}

async fn unknown_paths_and_methods(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    for path in [
        "nothing/here",
        "/api/v1",
        "/api/v2/user/me",
        "/api/v1/user/me/",
        "/api/v1/%ff",
    ] {
        alice.get(path).await.fails(404, "not_found");
    }
    let wrong = [
        (Method::GET, "user/login"),
        (Method::DELETE, "user/login"),
        (Method::POST, "user/me"),
        (Method::PUT, "group/create"),
        (Method::PATCH, "message/history"),
    ];
    for (method, path) in wrong {
        let reply = alice.rest.send(alice.rest.request(method, path)).await;
        reply.fails(405, "method_not_allowed");
    }
}

async fn ids_that_are_none(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    for id in [
        "-1",
        "0",
        "abc",
        "1.5",
        "",
        "99999999999999999999999",
        "1%20OR%201=1",
    ] {
        for path in ["group/info", "group/members", "message/history"] {
            alice
                .get(&format!("{path}?group_id={id}"))
                .await
                .blames("group_id");
        }
    }
    for id in [
        json!(-1),
        json!(0),
        json!("abc"),
        json!(1.5),
        json!(null),
        json!([1]),
    ] {
        for path in ["group/join", "group/leave"] {
            alice
                .post(path, json!({"group_id": id}))
                .await
                .blames("group_id");
        }
        alice
            .post("message/recall", json!({"id": id}))
            .await
            .blames("id");
    }
    for query in ["after=-1", "before=x", "limit=0", "limit=-5", "limit=many"] {
        let reply = alice
            .get(&format!("message/history?username=alice&{query}"))
            .await;
        reply.blames(query.split('=').next().expect("a name"));
    }
    alice
        .get("message/history")
        .await
        .fails(400, "invalid_request");
    alice.get("group/info").await.blames("group_id");
    alice
        .get("group/info?group_id=999999")
        .await
        .fails(404, "group_not_found");
    alice
        .get("message/history?group_id=999999")
        .await
        .fails(404, "group_not_found");
    alice
        .get("message/history?username=nobody")
        .await
        .fails(404, "user_not_found");
}

async fn a_body_that_is_too_large(mode: Mode) {
    let lx = mode.start().await;
    let rest = lx.anonymous();
    let reply = rest.register("alice", &"p".repeat(1_100_000)).await;
    reply.fails(413, "too_large");
    rest.register("alice", "correct horse").await.ok();
}
