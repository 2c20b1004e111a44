//! Registering, logging in, finding each other, logging out.

use std::time::Instant;

use serde_json::json;

use crate::harness::{DEADLINE, Mode, User, until};

behaviours!(
    a_user_registers_and_logs_in,
    a_username_is_taken_in_any_case,
    a_wrong_password_is_not_a_token,
    bad_names_are_refused,
    bad_passwords_are_refused,
    a_nickname_is_shown,
    search_finds_others,
    logout_ends_every_session,
);

async fn a_user_registers_and_logs_in(mode: Mode) {
    let lx = mode.start().await;
    let rest = lx.anonymous();
    let registered = rest.register("alice", "correct horse").await.ok();
    assert_eq!(registered["message"], "register success");

    let login = rest.login("alice", "correct horse").await.ok();
    let token = login["token"].as_str().expect("a token");
    assert!(token.starts_with("eyJ"), "{token}");
    assert_eq!(login["user"]["username"], "alice");
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970");
    let expires = u128::from(login["expires_at"].as_u64().expect("expires_at"));
    assert!(
        expires > now.as_millis(),
        "already expired, or not in milliseconds: {login}"
    );

    let me = rest.with_token(token).get("user/me").await.ok();
    assert_eq!(me["username"], "alice");
    assert_eq!(me["nickname"], "alice", "the default is the username");
    assert_eq!(me["role"], "user");
    assert_eq!(me["id"], login["user"]["id"]);
    assert!(
        me.get("password").is_none() && me.get("password_hash").is_none(),
        "{me}"
    );
    // The name is found in any case, as it is unique in any case.
    rest.login("ALICE", "correct horse").await.ok();
}

async fn a_username_is_taken_in_any_case(mode: Mode) {
    let lx = mode.start().await;
    let rest = lx.anonymous();
    rest.register("alice", "correct horse").await.ok();
    for name in ["alice", "Alice", "ALICE"] {
        rest.register(name, "another password")
            .await
            .fails(409, "username_taken");
    }
    // The first password still is the one, and eight at once make one user.
    rest.login("alice", "correct horse").await.ok();
    let attempts = (0..8).map(|_| rest.register("bob", "correct horse"));
    let replies = futures_util::future::join_all(attempts).await;
    assert_eq!(
        replies.iter().filter(|reply| reply.status == 200).count(),
        1,
        "{replies:?}"
    );
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        reply.fails(409, "username_taken");
    }
}

async fn a_wrong_password_is_not_a_token(mode: Mode) {
    let lx = mode.start().await;
    let rest = lx.anonymous();
    rest.register("alice", "correct horse").await.ok();
    let wrong = rest.login("alice", "wrong horse").await;
    let wrong = wrong.fails(401, "invalid_credentials").to_owned();
    let unknown = rest.login("nobody", "wrong horse").await;
    let unknown = unknown.fails(401, "invalid_credentials");
    assert_eq!(wrong, unknown, "the answer tells which names exist");
}

async fn bad_names_are_refused(mode: Mode) {
    let lx = mode.start().await;
    let rest = lx.anonymous();
    let long = "a".repeat(500);
    let too_long = "a".repeat(33);
    let bad = [
        "",
        " ",
        &long,
        &too_long,
        "\u{1}\u{2}\u{3}",
        "a\nb",
        "a\u{0}b",
        "a b",
        "group_42",
        "GROUP_7",
        "a/b",
        "a@b",
        "\u{202e}evil",
        "<script>",
    ];
    for name in bad {
        rest.register(name, "correct horse")
            .await
            .blames("username");
    }
    for name in [
        "a",
        "小明",
        "first.last-2_x",
        &"a".repeat(32),
        "group_",
        "group_x1",
    ] {
        rest.register(name, "correct horse").await.ok();
    }
}

async fn bad_passwords_are_refused(mode: Mode) {
    let lx = mode.start().await;
    let rest = lx.anonymous();
    let long = "p".repeat(80);
    let wide = "密".repeat(25);
    assert_eq!(wide.len(), 75);
    for password in ["", "12345", &long, &"p".repeat(73), &wide] {
        rest.register("alice", password).await.blames("password");
    }
    // Nothing was half made, and 72 bytes count whole: a different last byte is a different password.
    let full = "p".repeat(72);
    rest.register("alice", &full).await.ok();
    rest.login("alice", &full).await.ok();
    let almost = "p".repeat(71) + "q";
    rest.login("alice", &almost)
        .await
        .fails(401, "invalid_credentials");
    // Logging in with a password that nobody can have is a wrong password, or a wrong request, never a failure of ours.
    let reply = rest.login("alice", &(full + "p")).await;
    assert!(reply.status == 401 || reply.status == 400, "{reply:?}");
}

async fn a_nickname_is_shown(mode: Mode) {
    let lx = mode.start().await;
    let rest = lx.anonymous();
    let body = |nickname: &str| json!({"username": "alice", "password": "correct horse", "nickname": nickname});
    for nickname in ["a\u{7}b", &"x".repeat(65)] {
        rest.post("user/register", body(nickname))
            .await
            .blames("nickname");
    }
    rest.post("user/register", body("爱丽丝 ✨")).await.ok();
    let alice = User::login(&rest, "alice", "correct horse").await;
    assert_eq!(alice.get("user/me").await.ok()["nickname"], "爱丽丝 ✨");
}

async fn search_finds_others(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    lx.user("alicia").await;
    lx.user("bob").await;
    let rest = lx.anonymous();
    let body = json!({"username": "carol", "password": "correct horse", "nickname": "Alison"});
    rest.post("user/register", body).await.ok();

    let names = async |keyword: &str| {
        let found = alice
            .get(&format!("user/search?keyword={keyword}"))
            .await
            .ok();
        let mut names: Vec<String> = found["users"]
            .as_array()
            .expect("users")
            .iter()
            .map(|user| user["username"].as_str().expect("a username").to_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(
        names("ali").await,
        ["alicia", "carol"],
        "the caller is left out, nicknames count"
    );
    assert_eq!(names("zzz").await, [""; 0]);
    assert_eq!(names("%25").await, [""; 0], "a percent sign is no wildcard");
    assert_eq!(names("_").await, [""; 0], "an underscore is no wildcard");
    alice.get("user/search").await.blames("keyword");
    rest.get("user/search?keyword=bob")
        .await
        .fails(401, "unauthorized");
}

async fn logout_ends_every_session(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let elsewhere = alice.again().await;
    let mut ws = elsewhere.connect().await;
    ws.alive().await;

    let start = Instant::now();
    let answer = alice.post("user/logout", json!({})).await.ok();
    assert_eq!(answer["message"], "logout success");
    assert_eq!(ws.closed().await.code, Some(4001));
    for session in [&alice, &elsewhere] {
        until("the token stops working", async || {
            session.get("user/me").await.status == 401
        })
        .await;
    }
    let took = start.elapsed();
    println!("logout took {took:?} to reach every session (promised: a second)");
    assert!(took < DEADLINE / 5, "{took:?}");

    // Only the tokens are gone, not the user.
    let back = alice.again().await;
    back.connect().await.alive().await;
}
