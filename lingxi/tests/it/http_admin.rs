//! The operators' API answers alike, alone and beside a gateway.

use reqwest::Method;
use serde_json::json;

use crate::harness::{Mode, Rest};

behaviours!(the_operators_api_has_the_same_answers_for_what_is_wrong);

async fn the_operators_api_has_the_same_answers_for_what_is_wrong(mode: Mode) {
    let mut options = mode.options();
    let alone = mode == Mode::Cluster;
    if alone {
        options = options.roles(&["gateway", "admin-api"]);
    }
    let lx = options.start().await;
    let base = lx.public_url(usize::from(alone));
    let rest = Rest::new(lx.http.clone(), base);
    let path = "/api/admin/login";

    for (body, field) in [
        (json!({"username": "root"}), "password"),
        (json!({"password": "x"}), "username"),
        (json!({"username": 5, "password": "x"}), "username"),
    ] {
        rest.post(path, body).await.blames(field);
    }
    for body in ["", "[]", "{", "nonsense"] {
        let request = rest.request(Method::POST, path).body(body);
        rest.send(request).await.fails(400, "invalid_request");
    }
    let marked = "\u{feff}{\"username\":\"root\",\"password\":\"wrong\"}";
    let request = rest.request(Method::POST, path).body(marked);
    rest.send(request).await.fails(401, "invalid_credentials");
    let large = json!({"username": "root", "password": "p".repeat(17_000)});
    let reply = rest.post(path, large).await;
    let said = reply.fails(413, "too_large");
    assert!(said.contains("16 KiB"), "{said}");
    let reply = rest.send(rest.request(Method::GET, path)).await;
    reply.fails(405, "method_not_allowed");
    rest.get("/api/admin/nothing").await.fails(404, "not_found");
    let answer = rest.request(Method::POST, path).body("{}").send().await;
    let answer = answer.expect("an answer");
    assert!(answer.headers().contains_key("x-request-id"));

    let document = rest.get("/api/openapi.json").await.ok();
    let login = &document["paths"][path]["post"];
    assert_eq!(login["tags"], json!(["admin"]), "{login}");
    assert_eq!(
        document["components"]["securitySchemes"]["bearer"]["scheme"],
        "bearer"
    );
}
