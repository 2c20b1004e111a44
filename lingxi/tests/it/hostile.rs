//! Texts that are something else to a database, a page, a path, a header or a template: to Lingxi they are texts.
//!
//! They go into each field and parameter of each operation that the API's documentation has.

use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::harness::{Mode, Raw, Rest, body_schema, filled, operations};

behaviours!(
    every_text_of_every_operation,
    what_is_said_comes_back_as_it_was,
    nobody_gives_themselves_anything,
    paths_lead_nowhere_else,
    what_is_packed_is_not_unpacked,
);

const HOSTILE: &[&str] = &[
    "' OR '1'='1' --",
    "\"; DROP TABLE users; --",
    "1 UNION SELECT password_hash FROM users",
    "%' ESCAPE '",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "a\r\nX-Injected: 1\r\n\r\n<html>",
    "../../../../etc/passwd",
    "..\\..\\windows\\system32",
    "/proc/self/environ",
    "%00%0d%0aX-Injected:1",
    "\u{0}",
    "\u{202e}\u{feff}\u{ffff}",
    "${jndi:ldap://127.0.0.1/x}",
    "{{7*7}}%s%n",
    "-1",
    "9223372036854775808",
];

/// Something in each field that an operation takes: its example, where it has one.
fn body(document: &Value, operation: &Value) -> Option<Map<String, Value>> {
    let schema = body_schema(document, operation);
    let fields = schema["properties"].as_object()?;
    let value = |field: &Value| match field.get("example") {
        Some(example) => example.clone(),
        None if field["type"] == "integer" => json!(1),
        None if field["type"] == "array" => json!([]),
        None => json!("bob"),
    };
    let all = fields
        .iter()
        .map(|(name, field)| (name.clone(), value(field)));
    Some(all.collect())
}

/// Asks, and holds the answer to what every answer is.
async fn ask(request: reqwest::RequestBuilder, what: &str) {
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    assert!(status < 500, "{what}: {status}");
    let headers = answer.headers();
    let is = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let kind = is("content-type").unwrap_or_default();
    let streams = status == 200 && kind.starts_with("text/event-stream");
    assert!(
        kind.starts_with("application/json") || streams,
        "{what}: {kind}"
    );
    assert_eq!(is("x-content-type-options"), Some("nosniff"), "{what}");
    assert_eq!((is("x-injected"), is("set-cookie")), (None, None), "{what}");
    if status >= 400 {
        let body: Value = answer.json().await.expect("JSON");
        assert!(
            body["error"].is_string() && body["message"].is_string(),
            "{what}: {body}"
        );
        let said = body["message"].as_str().unwrap_or_default().to_lowercase();
        for inner in ["sqlite", "mysql", "syntax", "panicked", "sqlx", ".rs:"] {
            assert!(!said.contains(inner), "{what}: {body}");
        }
    }
}

async fn every_text_of_every_operation(mode: Mode) {
    let mut lx = mode.with_operators().start().await;
    let root = lx.root().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let document = alice.get("/api/openapi.json").await.ok();
    for (method, path, operation) in &operations(&document) {
        let method: Method = method.parse().expect("a method");
        let rest: &Rest = if path.starts_with("/api/admin") {
            &root
        } else {
            &alice.rest
        };
        let example = body(&document, operation);
        let parameters = operation["parameters"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        for hostile in HOSTILE {
            let what = |name: &str| format!("{method} {path}: {name} = {hostile:?}");
            let field = |name: &Value| name.as_str().unwrap_or_default().to_owned();
            for parameter in &parameters {
                let name = field(&parameter["name"]);
                let place = parameter["in"].as_str();
                let mut url = reqwest::Url::parse("http://x").expect("a URL");
                let mut at = path.clone();
                if place == Some("path") {
                    url.path_segments_mut().expect("a path").push(hostile);
                    at = path.replace(&format!("{{{name}}}"), &url.path()[1..]);
                }
                at = filled(&at);
                if place == Some("query") {
                    url.query_pairs_mut().append_pair(&name, hostile);
                    at = format!("{at}?{}", url.query().unwrap_or_default());
                }
                let mut request = rest.request(method.clone(), &at);
                if place == Some("header") {
                    let value: String =
                        hostile.chars().filter(|c| (' '..'~').contains(c)).collect();
                    request = request.header(&name, value);
                }
                ask(request, &what(&name)).await;
            }
            for name in example.iter().flat_map(Map::keys) {
                let mut body = example.clone().unwrap_or_default();
                let value = if body[name].is_array() {
                    json!([hostile])
                } else {
                    json!(hostile)
                };
                body.insert(name.clone(), value);
                if path.ends_with("/password") && name != "old_password" {
                    // With the right one it would end the session.
                    body.insert("old_password".into(), json!("wrong"));
                }
                ask(rest.request(method.clone(), path).json(&body), &what(name)).await;
            }
        }
    }
    // Everything is where it was.
    assert_eq!(alice.get("user/me").await.ok()["username"], "alice");
    assert_eq!(
        bob.again().await.get("user/me").await.ok()["username"],
        "bob"
    );
    let (mut from, mut ws) = (alice.connect().await, bob.connect().await);
    from.say("bob", "there", "are you there?").await;
    from.stored("there").await;
    ws.message("are you there?").await;
}

async fn what_is_said_comes_back_as_it_was(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let (mut from, mut to) = (alice.connect().await, bob.connect().await);
    let mut sent = Vec::new();
    for (number, hostile) in HOSTILE.iter().enumerate() {
        let id = format!("{number} {hostile}");
        from.say("bob", &id, hostile).await;
        if hostile.chars().any(|c| c.is_control() && c != '\n') {
            from.refused(&id, "invalid_request").await;
            continue;
        }
        from.stored(&id).await;
        to.message(hostile).await;
        sent.push(*hostile);
    }
    let said = bob.history("username=alice&limit=50").await;
    let said: Vec<&str> = said
        .iter()
        .filter_map(|one| one["content"].as_str())
        .collect();
    assert_eq!(said, sent);
}

async fn nobody_gives_themselves_anything(mode: Mode) {
    let lx = mode.with_operators().start().await;
    let alice = lx.user("alice").await;
    lx.user("bob").await;
    let document = alice.get("/api/openapi.json").await.ok();
    let before = alice.get("user/me").await.ok();
    for (method, path, operation) in &operations(&document) {
        let Some(mut body) = body(&document, operation) else {
            continue;
        };
        if path.ends_with("/password") {
            // With the right one it would end the session.
            body.insert("old_password".into(), json!("wrong"));
        }
        if path.ends_with("/register") {
            body.insert("username".into(), json!("mallory"));
            body.insert("password".into(), json!("correct horse"));
        }
        // What an account, a session, a message and a group are said to be.
        for (name, value) in [
            ("role", json!("admin")),
            ("id", json!(1)),
            ("user_id", json!(1)),
            ("owner_id", json!(1)),
            ("sender_id", json!(1)),
            ("is_bot", json!(true)),
            ("token_epoch", json!(0)),
            ("password_hash", json!("x")),
            ("created_at", json!(0)),
            ("seq", json!(1)),
        ] {
            body.entry(name).or_insert(value);
        }
        let method = method.parse().expect("a method");
        ask(alice.rest.request(method, path).json(&body), path).await;
    }
    let after = alice.get("user/me").await.ok();
    for field in ["id", "username", "role", "created_at"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    for name in ["alice", "mallory"] {
        let login = lx.anonymous().login(name, "correct horse").await.ok();
        assert_eq!(login["user"]["role"].as_str().unwrap_or("user"), "user");
        assert_ne!(login["user"]["created_at"], 0);
        lx.admin()
            .with_token(login["token"].as_str().expect("a token"))
            .get("/api/admin/report/list")
            .await
            .fails(401, "unauthorized");
    }
}

async fn paths_lead_nowhere_else(mode: Mode) {
    let lx = mode.start().await;
    let rest = lx.anonymous();
    for path in [
        "/../../../../etc/passwd",
        "/..%2f..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/assets/../../Cargo.toml",
        "/assets/..%5c..%5cCargo.toml",
        "/assets/%00",
        "//etc/passwd",
        "/docs/../lingxi-data/lingxi.db",
        "/lingxi-data/lingxi.db",
        "/api/v1/file/..%2f..%2flingxi.db",
        "/api/v1/file/%2e%2e/thumbnail",
        "/.env",
        "/.git/config",
    ] {
        // As it is: a client's library would tidy it up.
        let mut raw = Raw::connect(&rest.base).await;
        let host = rest.base.trim_start_matches("http://");
        raw.send(&format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        ))
        .await;
        let answer = raw.answer().await;
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(["400", "401", "404"].contains(&status), "{path}: {answer}");
        assert!(
            !answer.contains("root:") && !answer.contains("SQLite format"),
            "{path}"
        );
    }
}

async fn what_is_packed_is_not_unpacked(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    // `{"name":"g"}`, as gzip: unpacked, it would make a group.
    let packed = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0xab, 0x56, 0xca, 0x4b, 0xcc, 0x4d, 0x55, 0xb2, 0x52,
        0x4a, 0x57, 0xaa, 5, 0, 0x24, 0x57, 0xfb, 0x89, 12, 0, 0, 0,
    ];
    let request = alice
        .rest
        .request(Method::POST, "group/create")
        .header("content-type", "application/json")
        .header("content-encoding", "gzip")
        .body(packed.to_vec());
    let answer = alice.rest.send(request).await;
    answer.fails(400, "invalid_request");
}
