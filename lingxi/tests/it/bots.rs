//! Bots and their tokens, and who of the operators may give them.

use serde_json::{Value, json};

use crate::harness::{Deployment, Link, Mode, Rest, User, Ws, until};

behaviours!(
    a_bot_has_tokens_and_no_password,
    revoked_tokens_open_nothing_within_a_second,
    operators_tokens_open_their_api_and_nothing_else,
    wrong_requests_are_refused,
    bots_are_listed_by_pages,
    there_are_so_many_bots_and_no_more,
    the_command_line_makes_every_role,
);

/// A bot as a client, on this gateway.
pub(crate) async fn bot(lx: &Deployment, root: &Rest, name: &str) -> User {
    let body = json!({"username": name});
    let made = root.post("/api/admin/bot/create", body).await.ok();
    let token = made["token"].as_str().expect("a token").to_owned();
    User {
        name: name.to_owned(),
        id: made["id"].as_u64().expect("an id"),
        password: String::new(),
        rest: lx.anonymous().with_token(&token),
        token,
    }
}

async fn a_bot_has_tokens_and_no_password(mode: Mode) {
    let mut lx = mode.with_operators().start().await;
    let root = lx.root().await;
    let alice = lx.user("alice").await;
    let robot = bot(&lx, &root, "Robot").await;
    let me = robot.get("user/me").await.ok();
    assert_eq!(
        (&me["username"], &me["nickname"], &me["role"]),
        (&json!("Robot"), &json!("Robot"), &json!("bot"))
    );

    // It talks like anybody, over REST and WebSocket.
    let mut ws = robot.connect().await;
    let mut a = alice.connect().await;
    a.say("robot", "m1", "hello").await;
    assert_eq!(ws.message("hello").await["from"], "alice");
    ws.say("alice", "m2", "hello yourself").await;
    assert_eq!(a.message("hello yourself").await["from"], "Robot");
    let group = robot.create_group("of a bot").await;
    alice.join(group).await.ok();

    // No password opens it, and it is told nothing else than about a wrong one.
    let wrong = alice.rest.login("alice", "wrong password").await;
    for password in ["", "!", "correct horse", "password"] {
        let refused = robot.rest.login("Robot", password).await;
        assert_eq!((refused.status, &refused.body), (401, &wrong.body));
        let body = json!({"username": "Robot", "password": password});
        let refused = lx.admin().post("/api/admin/login", body).await;
        assert_eq!((refused.status, &refused.body), (401, &wrong.body));
    }
    let body = json!({"old_password": "!", "new_password": "correct horse"});
    let refused = robot.put("user/password", body).await;
    refused.fails(401, "invalid_credentials");
    let refused = robot.rest.login("Robot", "correct horse").await;
    refused.fails(401, "invalid_credentials");
}

async fn revoked_tokens_open_nothing_within_a_second(mode: Mode) {
    let mut lx = mode.with_operators().start().await;
    let root = lx.root().await;
    let robot = bot(&lx, &root, "robot").await;
    let name = || json!({"username": "robot"});
    let more = root.post("/api/admin/bot/token", name()).await.ok();
    let second = more["token"].as_str().expect("a token").to_owned();
    // Both work, on each gateway.
    let mut sockets = Vec::new();
    for (gateway, token) in [(0, &robot.token), (1, &second)] {
        let base = lx.base_url(gateway);
        let rest = Rest::new(lx.http.clone(), base.clone()).with_token(token);
        rest.get("user/me").await.ok();
        sockets.push((rest, Link::new(&base, token)));
    }
    let mut last = Ws::open(&sockets[1].1).await;
    last.alive().await;

    let revoked = root.post("/api/admin/bot/revoke", name()).await.ok();
    assert_eq!(revoked["message"], "tokens revoked");
    let at = std::time::Instant::now();
    assert_eq!(last.closed().await.code, Some(4001));
    for (rest, link) in &sockets {
        until("the token is refused", async || {
            rest.get("user/me").await.status == 401
        })
        .await;
        assert!(at.elapsed().as_millis() < 1_500, "{:?}", at.elapsed());
        assert_eq!(Ws::open(link).await.closed().await.code, Some(4001));
    }
    // What is given out from now on works.
    let fresh = root.post("/api/admin/bot/token", name()).await.ok();
    let fresh = fresh["token"].as_str().expect("a token");
    robot.rest.with_token(fresh).get("user/me").await.ok();
}

async fn operators_tokens_open_their_api_and_nothing_else(mode: Mode) {
    let mut lx = mode.with_operators().start().await;
    let roles = [
        ("root", "admin"),
        ("order", "moderator"),
        ("eyes", "viewer"),
    ];
    let sessions = lx.operators(&roles).await;
    let alice = lx.user("alice").await;
    let robot = bot(&lx, &sessions[0], "robot").await;
    let create = "/api/admin/bot/create";
    let list = "/api/admin/bot/list";
    let body = || json!({"username": "another"});

    // Nobody without an operator's token, whatever is asked.
    for token in [None, Some(&alice.token), Some(&robot.token)] {
        let mut rest = lx.admin();
        rest.token = token.cloned();
        rest.get(list).await.fails(401, "unauthorized");
        rest.post(create, body()).await.fails(401, "unauthorized");
        rest.post(create, json!({}))
            .await
            .fails(401, "unauthorized");
        let path = "/api/admin/bot/webhook?username=robot";
        rest.delete(path).await.fails(401, "unauthorized");
    }
    // By role.
    for session in &sessions {
        session.get(list).await.ok();
    }
    for (session, (_, role)) in sessions[1..].iter().zip(&roles[1..]) {
        for path in ["create", "token", "revoke"] {
            let path = format!("/api/admin/bot/{path}");
            let reply = session.post(&path, json!({"username": "robot"})).await;
            let said = reply.fails(403, "forbidden");
            assert!(said.contains(role) && said.contains("admin"), "{said}");
        }
        let body = json!({"username": "robot", "url": "https://example.org/"});
        let path = "/api/admin/bot/webhook";
        session.put(path, body).await.fails(403, "forbidden");
        let path = format!("{path}?username=robot");
        session.delete(&path).await.fails(403, "forbidden");
    }
    robot.get("user/me").await.ok();
    // An operator's token opens no chat; the operator's account does, by its own login.
    for session in &sessions {
        let token = session.token.as_deref().expect("a token");
        let chat = lx.anonymous().with_token(token);
        chat.get("user/me").await.fails(401, "unauthorized");
        let mut ws = Ws::open(&Link::new(&chat.base, token)).await;
        assert_eq!(ws.closed().await.code, Some(4001));
    }
    let login = lx.anonymous();
    let chat = login.login("eyes", "correct horse of an operator").await;
    let chat = chat.ok();
    assert_eq!(chat["user"]["role"], "viewer");
    let token = chat["token"].as_str().expect("a token");
    lx.anonymous().with_token(token).get("user/me").await.ok();
    let admin = lx.admin().with_token(token);
    admin.get(list).await.fails(401, "unauthorized");
}

async fn wrong_requests_are_refused(mode: Mode) {
    let mut lx = mode.with_operators().start().await;
    let root = lx.root().await;
    lx.user("alice").await;
    bot(&lx, &root, "robot").await;
    let create = "/api/admin/bot/create";
    root.post(create, json!({})).await.blames("username");
    root.post(create, json!({"username": 5}))
        .await
        .blames("username");
    root.post(create, json!({"username": "a b"}))
        .await
        .blames("username");
    root.post(create, json!({"username": "x", "nickname": "\n"}))
        .await
        .blames("nickname");
    for taken in ["alice", "ROBOT"] {
        let reply = root.post(create, json!({"username": taken})).await;
        reply.fails(409, "username_taken");
    }
    // A person is no bot.
    for name in ["alice", "nobody", ""] {
        for path in ["token", "revoke"] {
            let path = format!("/api/admin/bot/{path}");
            let reply = root.post(&path, json!({"username": name})).await;
            reply.fails(404, "user_not_found");
        }
        let body = json!({"username": name, "url": "https://8.8.8.8/"});
        let reply = root.put("/api/admin/bot/webhook", body).await;
        reply.fails(404, "user_not_found");
        let path = format!("/api/admin/bot/webhook?username={name}");
        root.delete(&path).await.fails(404, "user_not_found");
    }
    root.delete("/api/admin/bot/webhook")
        .await
        .blames("username");
    let path = "/api/admin/bot/webhook";
    for secret in [
        "",
        "x",
        "whsec_",
        "whsec_c2hvcnQ=",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ] {
        let body = json!({"username": "robot", "url": "https://8.8.8.8/", "secret": secret});
        root.put(path, body).await.blames("secret");
    }
    for url in [
        "",
        "example.org",
        "ftp://example.org/",
        "https://a:b@example.org/",
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://[::ffff:127.0.0.1]/",
        "http://localhost/",
        "http://localhost.:8080/",
        "http://10.0.0.1/",
        "http://169.254.169.254/",
        "http://[fd00::1]/",
    ] {
        let body = json!({"username": "robot", "url": url});
        root.put(path, body).await.blames("url");
    }
}

async fn bots_are_listed_by_pages(mode: Mode) {
    let mut lx = mode.with_operators().start().await;
    let root = lx.root().await;
    for name in ["one", "two", "three"] {
        bot(&lx, &root, name).await;
    }
    let body = json!({"username": "two", "url": "https://8.8.8.8/hook#x"});
    let set = root.put("/api/admin/bot/webhook", body).await.ok();
    assert_eq!(set["url"], "https://8.8.8.8/hook");
    let secret = set["secret"].as_str().expect("a secret");
    assert!(
        secret.starts_with("whsec_") && secret.len() > 40,
        "{secret}"
    );
    let page = async |query: &str| root.get(&format!("/api/admin/bot/list{query}")).await.ok();
    let names = |page: &Value| {
        let bots = page["bots"].as_array().expect("bots").iter();
        let names = bots.map(|bot| bot["username"].as_str().expect("a name").to_owned());
        names.collect::<Vec<_>>()
    };
    let first = page("?limit=2").await;
    assert_eq!(names(&first), ["one", "two"]);
    assert_eq!(
        (&first["has_more"], &first["total"]),
        (&json!(true), &json!(3))
    );
    let two = &first["bots"][1];
    assert_eq!(
        two["webhook"],
        json!({"url": "https://8.8.8.8/hook", "state": "active", "queued": 0, "dead": 0})
    );
    assert!(first["bots"][0].get("webhook").is_none());
    let rest = page(&format!("?after={}", two["id"])).await;
    assert_eq!(names(&rest), ["three"]);
    assert_eq!(rest["has_more"], false);
    let gone = root
        .delete("/api/admin/bot/webhook?username=two")
        .await
        .ok();
    assert_eq!(gone["message"], "webhook deleted");
    assert!(page("").await["bots"][1].get("webhook").is_none());
    root.get("/api/admin/bot/list?limit=x")
        .await
        .blames("limit");
}

async fn there_are_so_many_bots_and_no_more(mode: Mode) {
    let mut lx = mode.with_operators().start().await;
    let root = lx.root().await;
    lx.fill_bots(9_999).await;
    bot(&lx, &root, "last").await;
    let body = json!({"username": "toomany"});
    let refused = root.post("/api/admin/bot/create", body.clone()).await;
    refused.fails(409, "too_many_bots");
    // Nothing is left of it: nobody has the name.
    let name = root.post("/api/admin/bot/token", body).await;
    name.fails(404, "user_not_found");
    let body = json!({"username": "toomany", "password": "correct horse"});
    lx.anonymous().post("user/register", body).await.ok();
}

async fn the_command_line_makes_every_role(mode: Mode) {
    let mut lx = mode.with_operators().start().await;
    let accounts = [
        ("ann", "user"),
        ("hal", "bot"),
        ("vic", "viewer"),
        ("mod", "moderator"),
        ("root", "admin"),
    ];
    let printed = lx.add_accounts(&accounts).await;
    let anybody = lx.anonymous();
    for ((name, role), printed) in accounts.iter().zip(printed) {
        let said = format!("{name} is user ");
        assert!(
            printed.starts_with(&said) && printed.contains(role),
            "{printed}"
        );
        if *role == "bot" {
            let token = printed.lines().nth(1).expect("a token");
            let me = anybody.with_token(token).get("user/me").await.ok();
            assert_eq!(me["role"], "bot");
            continue;
        }
        let login = anybody.login(name, "correct horse of an operator").await;
        assert_eq!(login.ok()["user"]["role"], *role);
    }
}
