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
    a_profile_changes,
    bad_profiles_are_refused,
    a_new_password_ends_every_other_session,
    a_password_is_changed_by_who_knows_it,
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

async fn a_profile_changes(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("Bob").await);
    let picture = "https://example.org/bob.png";
    let body = json!({"nickname": " 小明 ", "avatar": picture, "signature": "在路上 ✨"});
    let changed = bob.put("user/profile", body).await.ok();
    assert_eq!(changed["nickname"], "小明");
    assert_eq!(bob.get("user/me").await.ok(), changed);
    // What others see, by the name in any case, in lists too.
    let seen = alice.get("user/info?username=BOB").await.ok();
    for (field, value) in seen.as_object().expect("an object") {
        assert_eq!(&changed[field], value, "{field}");
    }
    assert_eq!(seen["avatar"], picture);
    assert!(seen.get("role").is_none() && seen.get("created_at").is_none());
    alice
        .post("contact/add", json!({"username": "bob"}))
        .await
        .ok();
    let contacts = alice.get("contact/list").await.ok();
    assert_eq!(contacts["contacts"][0]["signature"], "在路上 ✨");
    // Found by the new name, and by the old one no longer.
    let found = async |keyword: &str| {
        let path = format!("user/search?keyword={keyword}");
        alice.get(&path).await.ok()["users"]
            .as_array()
            .expect("users")
            .len()
    };
    assert_eq!((found("小").await, found("bob").await), (1, 1));
    // What is left out stays; an empty nickname is the username, the rest may be empty.
    let body = json!({"nickname": "Robert", "unknown": 1});
    let changed = bob.put("user/profile", body).await.ok();
    assert_eq!(changed["avatar"], picture);
    assert_eq!((found("小").await, found("robert").await), (0, 1));
    let body = json!({"nickname": "", "avatar": "", "signature": ""});
    let changed = bob.put("user/profile", body).await.ok();
    assert_eq!(changed["nickname"], "Bob");
    assert_eq!(
        (&changed["avatar"], &changed["signature"]),
        (&json!(""), &json!(""))
    );
    assert_eq!((found("robert").await, found("bob").await), (0, 1));
    alice
        .get("user/info?username=nobody")
        .await
        .fails(404, "user_not_found");
    alice.get("user/info").await.blames("username");
}

async fn bad_profiles_are_refused(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let before = alice.get("user/me").await.ok();
    let long = "x".repeat(129);
    for (field, value) in [
        ("nickname", json!("a\nb")),
        ("nickname", json!("\u{200b}")),
        ("nickname", json!("灵犀")),
        ("nickname", json!(7)),
        ("signature", json!("two\nlines")),
        ("signature", json!(long)),
        ("avatar", json!("javascript:alert(1)")),
        ("avatar", json!("data:text/html,x")),
        ("avatar", json!("https://me:secret@example.org/")),
        ("avatar", json!("https://example.org/\r\nSet-Cookie: a")),
    ] {
        // Nothing is changed by half.
        let mut body = json!({"nickname": "Alicia", "signature": "here"});
        body[field] = value;
        alice.put("user/profile", body).await.blames(field);
    }
    // What nobody may choose is ignored.
    let body = json!({"role": "admin", "id": 1, "username": "root", "password": "x"});
    assert_eq!(alice.put("user/profile", body).await.ok(), before);
    assert_eq!(alice.get("user/me").await.ok(), before);
    lx.anonymous()
        .put("user/profile", json!({}))
        .await
        .fails(401, "unauthorized");
}

async fn a_new_password_ends_every_other_session(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let elsewhere = alice.again().await;
    let mut ws = elsewhere.connect().await;
    ws.alive().await;
    let start = Instant::now();
    let body = json!({"old_password": "correct horse", "new_password": "battery staple"});
    let session = alice.put("user/password", body).await.ok();
    assert_eq!(session["user"]["username"], "alice");
    assert_eq!(ws.closed().await.code, Some(4001));
    for old in [&alice, &elsewhere] {
        until("the token stops working", async || {
            old.get("user/me").await.status == 401
        })
        .await;
    }
    let took = start.elapsed();
    assert!(took < DEADLINE / 5, "{took:?}");
    // The new session works at once, and the new password alone lets in.
    let token = session["token"].as_str().expect("a token");
    let rest = lx.anonymous();
    rest.with_token(token).get("user/me").await.ok();
    rest.login("alice", "correct horse")
        .await
        .fails(401, "invalid_credentials");
    rest.login("alice", "battery staple").await.ok();
}

async fn a_password_is_changed_by_who_knows_it(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let change = async |old: &str, new: &str| {
        let body = json!({"old_password": old, "new_password": new});
        alice.put("user/password", body).await
    };
    change("wrong horse", "battery staple")
        .await
        .fails(401, "invalid_credentials");
    for bad in ["short", &"p".repeat(73), "tab\there"] {
        change("correct horse", bad).await.blames("new_password");
    }
    alice
        .put("user/password", json!({"old_password": "correct horse"}))
        .await
        .blames("new_password");
    // Eight at once, of which one is the first.
    let news: Vec<String> = (0..8).map(|n| format!("battery staple {n}")).collect();
    let changes = news.iter().map(|new| change("correct horse", new));
    let replies = futures_util::future::join_all(changes).await;
    let changed: Vec<_> = replies
        .iter()
        .zip(&news)
        .filter(|(r, _)| r.status == 200)
        .collect();
    assert_eq!(changed.len(), 1, "{replies:?}");
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        assert!([401, 429].contains(&reply.status), "{reply:?}");
    }
    lx.anonymous().login("alice", changed[0].1).await.ok();
}
