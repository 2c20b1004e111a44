//! REST requests that are wrong: each gets the contract's error, and the server stays usable.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Mode, Raw};

behaviours!(
    a_body_that_is_no_json,
    a_field_is_named,
    unknown_fields_are_ignored,
    unknown_paths_and_methods,
    ids_that_are_none,
    a_body_that_is_too_large,
    a_mark_before_the_body_is_skipped,
    a_websocket_without_an_upgrade,
    methods_that_nobody_knows,
    what_is_logged_of_a_request_is_escaped_and_cut,
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
    for size in [17_000, 200_000, 1_100_000] {
        let reply = rest.register("alice", &"p".repeat(size)).await;
        let said = reply.fails(413, "too_large");
        assert!(said.contains("16 KiB"), "{said}");
        let reply = rest.login("alice", &"p".repeat(size)).await;
        let said = reply.fails(413, "too_large");
        assert!(said.contains("16 KiB"), "{said}");
    }
    let alice = lx.user("alice").await;
    let body = |size: usize| json!({"name": "g", "announcement": "", "padding": "p".repeat(size)});
    for size in [66_000, 1_100_000] {
        let reply = alice.post("group/create", body(size)).await;
        let said = reply.fails(413, "too_large");
        assert!(said.contains("64 KiB"), "{said}");
    }
    alice.post("group/create", body(60_000)).await.ok();
    // In pieces, without a length that is known in advance.
    let mut raw = Raw::connect(&lx.base_url(0)).await;
    raw.send(
        "POST /api/v1/user/login HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n",
    )
    .await;
    let piece = format!("1000\r\n{}\r\n", "p".repeat(0x1000));
    raw.send(&piece.repeat(8)).await;
    raw.send("0\r\n\r\n").await;
    let answer = raw.answer().await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

async fn a_mark_before_the_body_is_skipped(mode: Mode) {
    let lx = mode.start().await;
    let rest = lx.anonymous();
    rest.register("alice", "correct horse").await.ok();
    let body = r#"{"username":"alice","password":"correct horse"}"#;
    for body in [format!("\u{feff}{body}"), format!("\u{feff} \n{body}")] {
        rest.send(rest.request(Method::POST, "user/login").body(body))
            .await
            .ok();
    }
    for body in ["\u{feff}", "\u{feff}[]", "\u{feff}\u{feff}{}"] {
        let request = rest.request(Method::POST, "user/login").body(body);
        rest.send(request).await.fails(400, "invalid_request");
    }
}

async fn a_websocket_without_an_upgrade(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let path = format!("/api/v1/ws?token={}", alice.token);
    let plain = || alice.rest.request(Method::GET, &path);
    let requests = [
        plain(),
        plain().header("connection", "upgrade"),
        plain().header("upgrade", "websocket"),
        plain()
            .header("connection", "upgrade")
            .header("upgrade", "h2c"),
    ];
    for request in requests {
        let reply = alice.rest.send(request).await;
        let said = reply.fails(400, "invalid_request");
        assert!(said.contains("proxy") && said.contains("Upgrade"), "{said}");
    }
    let reply = alice
        .rest
        .send(alice.rest.request(Method::POST, &path))
        .await;
    reply.fails(405, "method_not_allowed");
}

async fn methods_that_nobody_knows(mode: Mode) {
    let lx = mode.start().await;
    let rest = lx.anonymous();
    for number in 0..50 {
        let method = format!("AAAA{number:04}");
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let reply = rest.send(rest.request(method, "user/login")).await;
        reply.fails(405, "method_not_allowed");
    }
    let long = "A".repeat(300_000);
    let mut raw = Raw::connect(&lx.base_url(0)).await;
    raw.send(&format!(
        "{long} /api/v1/user/login HTTP/1.1\r\nhost: localhost\r\n\r\n"
    ))
    .await;
    let answer = raw.answer().await;
    assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
    let metrics = lx.http.get(lx.internal_url(0, "/metrics")).send().await;
    let metrics = metrics.expect("an answer").text().await.expect("metrics");
    assert!(!metrics.contains("AAAA"), "a client's word is a label");
    assert!(metrics.contains(r#"method="other""#), "{metrics}");
    assert!(
        lx.log(0).len() < 200_000,
        "the log is as long as the method"
    );
    rest.register("alice", "correct horse").await.ok();
}

async fn what_is_logged_of_a_request_is_escaped_and_cut(mode: Mode) {
    let lx = mode.start().await;
    let long = "x".repeat(6000);
    for target in [
        "/api/v1/\u{9b}31mforged\u{202e}".to_owned(),
        format!("/api/v1/nothing?q=\u{9b}31mforged{long}"),
        format!("/api/v1/{long}"),
    ] {
        let mut raw = Raw::connect(&lx.base_url(0)).await;
        let agent = "a\u{9b}2Jgent";
        raw.send(&format!(
            "GET {target} HTTP/1.1\r\nhost: localhost\r\nuser-agent: {agent}\r\n\r\n"
        ))
        .await;
        let answer = raw.answer().await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    let body = "{\"username\":\"a\\u001b[2J\\nERROR forged\",\"password\":\"\u{9b}x\"";
    let rest = lx.anonymous();
    let request = rest.request(Method::POST, "user/login");
    let request = request
        .header("content-type", "application/json")
        .body(body);
    rest.send(request).await.fails(400, "invalid_request");
    let log = lx.log(0);
    assert!(
        log.contains("nothing"),
        "refused requests are logged: {log}"
    );
    let raw = |c: char| c != '\n' && c.is_control() || c == '\u{202e}';
    // Colours of the log's own are off, as it goes to a file.
    assert!(!log.chars().any(raw), "{log:?}");
    assert!(log.lines().all(|line| line.len() < 2000), "{log}");
}
