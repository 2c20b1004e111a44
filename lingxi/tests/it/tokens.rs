//! Tokens that must not open anything.

use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde_json::{Value, json};

use crate::harness::{Deployment, Link, Mode, User, Ws};

const SECRET: &str = "a secret of the tests, long enough to be accepted";

behaviours!(
    the_claims_are_the_published_ones,
    an_expired_token_opens_nothing,
    a_foreign_token_opens_nothing,
    a_token_of_another_version_opens_nothing,
    the_header_opens_a_socket_too,
);

async fn server(mode: Mode) -> Deployment {
    mode.with("LINGXI__JWT_SECRET", SECRET).start().await
}

fn claims(token: &str) -> Value {
    let key = DecodingKey::from_secret(SECRET.as_bytes());
    let checked = decode::<Value>(token, &key, &Validation::default());
    checked.expect("HS256 with our secret").claims
}

fn sign(claims: &Value, secret: &str) -> String {
    let key = EncodingKey::from_secret(secret.as_bytes());
    encode(&Header::default(), claims, &key).expect("a token")
}

/// Nothing answers to this token, over HTTP or WebSocket.
async fn opens_nothing(user: &User, token: &str) {
    let rest = user.rest.with_token(token);
    for path in [
        "user/me",
        "group/mygroups",
        "message/conversations",
        "message/history?username=alice",
    ] {
        rest.get(path).await.fails(401, "unauthorized");
    }
    let body = json!({"message": "hello"});
    rest.post("ai/chat", body).await.fails(401, "unauthorized");
    // The upgrade succeeds, so that a browser sees the code.
    let mut ws = Ws::open(&Link::new(&user.rest.base, token)).await;
    assert_eq!(ws.closed().await.code, Some(4001));
    assert!(
        ws.drain().iter().all(|frame| frame["type"] == 5),
        "something was pushed"
    );
}

async fn the_claims_are_the_published_ones(mode: Mode) {
    let lx = server(mode).await;
    let alice = lx.user("alice").await;
    let claims = claims(&alice.token);
    assert_eq!(claims["sub"], alice.id.to_string());
    assert_eq!(claims["username"], "alice");
    assert_eq!(claims["role"], "user");
    assert!(claims["ver"].is_u64(), "{claims}");
    assert!(claims["exp"].as_u64() > claims["iat"].as_u64(), "{claims}");
    // What another service signs with the same secret and claims is as good.
    let same = sign(&claims, SECRET);
    alice.rest.with_token(&same).get("user/me").await.ok();
}

async fn an_expired_token_opens_nothing(mode: Mode) {
    let lx = server(mode).await;
    let alice = lx.user("alice").await;
    let mut claims = claims(&alice.token);
    let issued = claims["iat"].as_u64().expect("iat");
    claims["iat"] = json!(issued - 7200);
    claims["exp"] = json!(issued - 3600);
    opens_nothing(&alice, &sign(&claims, SECRET)).await;
    alice.get("user/me").await.ok();
}

async fn a_foreign_token_opens_nothing(mode: Mode) {
    let lx = server(mode).await;
    let alice = lx.user("alice").await;
    let claims = claims(&alice.token);
    opens_nothing(
        &alice,
        &sign(&claims, "the secret of somebody else entirely"),
    )
    .await;
    // Unsigned: {"alg":"none","typ":"JWT"}.
    let payload = alice.token.split('.').nth(1).expect("a payload");
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}.");
    opens_nothing(&alice, &unsigned).await;
    for nonsense in ["", "x", "a.b.c"] {
        opens_nothing(&alice, nonsense).await;
    }
    lx.anonymous()
        .get("user/me")
        .await
        .fails(401, "unauthorized");
}

async fn a_token_of_another_version_opens_nothing(mode: Mode) {
    let lx = server(mode).await;
    let alice = lx.user("alice").await;
    let mut claims = claims(&alice.token);
    let version = claims["ver"].as_u64().expect("ver");
    claims["ver"] = json!(version + 1);
    opens_nothing(&alice, &sign(&claims, SECRET)).await;
    // Nor does one of a user who does not exist.
    claims["ver"] = json!(version);
    claims["sub"] = json!("4503599627370000");
    opens_nothing(&alice, &sign(&claims, SECRET)).await;
}

async fn the_header_opens_a_socket_too(mode: Mode) {
    let lx = server(mode).await;
    let alice = lx.user("alice").await;
    let link = Link::with_header(&alice.rest.base, &alice.token);
    Ws::open(&link).await.alive().await;
    let link = Link::with_header(&alice.rest.base, "x");
    assert_eq!(Ws::open(&link).await.closed().await.code, Some(4001));
}
