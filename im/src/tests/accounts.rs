use std::net::{IpAddr, Ipv4Addr};

use lingxi_domain::role::AccountRole;
use lingxi_proto::bus::control::Kind;

use super::*;

const HOME: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));

fn registration(username: &str, password: &str) -> Registration {
    Registration {
        username: username.into(),
        password: password.into(),
        nickname: None,
    }
}

#[tokio::test]
async fn a_registered_user_logs_in_and_is_recognised() {
    let w = World::new().await;
    let alice = w.user("Alice").await;
    let login =
        w.im.accounts()
            .login("ALICE", "correct horse", None)
            .await
            .unwrap();
    assert_eq!(
        (login.user.id, login.user.username.as_str()),
        (alice.user_id, "Alice")
    );
    assert_eq!(login.user.nickname, "Alice");
    let who = w.im.accounts().authenticate(&login.token).await.unwrap();
    assert_eq!(
        (who.user_id, who.role, who.version),
        (alice.user_id, AccountRole::User, 1)
    );
    assert_eq!(who.expires_at, login.expires_at);
    assert_eq!(who.actor(), alice);
    assert_eq!(w.im.accounts().me(&who).await.unwrap(), login.user);
}

#[tokio::test]
async fn names_and_passwords_are_checked() {
    let w = World::new().await;
    let accounts = w.im.accounts();
    w.user("alice").await;
    for (name, password, code) in [
        ("ALICE", "correct horse", ErrorCode::UsernameTaken),
        ("a b", "correct horse", ErrorCode::InvalidRequest),
        ("bob", "short", ErrorCode::InvalidRequest),
        ("bob", &"p".repeat(73), ErrorCode::InvalidRequest),
    ] {
        refused(
            accounts.register(&registration(name, password), None).await,
            code,
        );
    }
    // Eight at once are one user.
    let new = registration("carol", "correct horse");
    let mut made = 0;
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (im, new) = (w.im.clone(), new.clone());
        tries.spawn(async move { im.accounts().register(&new, None).await });
    }
    while let Some(result) = tries.join_next().await {
        match result.unwrap() {
            Ok(_) => made += 1,
            Err(error) => assert_eq!(error.code(), ErrorCode::UsernameTaken),
        }
    }
    assert_eq!(made, 1);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_answer_alike() {
    let w = World::new().await;
    let full = "p".repeat(72);
    w.im.accounts()
        .register(&registration("alice", &full), None)
        .await
        .unwrap();
    let mut answers = Vec::new();
    for (name, password) in [
        ("alice", "wrong horse".to_owned()),
        ("nobody", full.clone()),
        (&"x".repeat(5000), full.clone()),
        // bcrypt would read no further than 72 bytes.
        ("alice", full.clone() + "p"),
        ("alice", "p".repeat(71) + "q"),
        ("alice", String::new()),
    ] {
        answers.push(
            w.im.accounts()
                .login(name, &password, None)
                .await
                .unwrap_err(),
        );
    }
    answers.dedup();
    assert_eq!(answers, [Error::from(ErrorCode::InvalidCredentials)]);
    w.im.accounts().login("alice", &full, None).await.unwrap();
}

#[tokio::test]
async fn an_address_is_limited() {
    let w = World::with(|config| config.rate_limits = true).await;
    let accounts = w.im.accounts();
    for number in 0..5 {
        let new = registration(&format!("user{number}"), "correct horse");
        accounts.register(&new, HOME).await.unwrap();
    }
    refused(
        accounts
            .register(&registration("more", "correct horse"), HOME)
            .await,
        ErrorCode::RateLimited,
    );
    for _ in 0..5 {
        accounts
            .login("user0", "correct horse", HOME)
            .await
            .unwrap();
    }
    refused(
        accounts.login("user0", "correct horse", HOME).await,
        ErrorCode::RateLimited,
    );
    let elsewhere = Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)));
    accounts
        .login("user0", "correct horse", elsewhere)
        .await
        .unwrap();
}

#[tokio::test]
async fn logging_out_ends_every_token_and_tells_the_gateways() {
    let w = World::new().await;
    let alice = w.user("alice").await;
    let accounts = w.im.accounts();
    let token = accounts
        .login("alice", "correct horse", None)
        .await
        .unwrap()
        .token;
    let who = accounts.authenticate(&token).await.unwrap();
    let ear = w.listen(&alice).await;
    accounts.logout(&who).await.unwrap();
    let control = ear.pushes()[0].control.unwrap();
    assert_eq!(control.kind, Some(Kind::TokenVersion(2)));
    refused(accounts.authenticate(&token).await, ErrorCode::Unauthorized);
    let again = accounts
        .login("alice", "correct horse", None)
        .await
        .unwrap()
        .token;
    assert_eq!(accounts.authenticate(&again).await.unwrap().version, 2);
    for nonsense in ["", "x", "a.b.c"] {
        refused(
            accounts.authenticate(nonsense).await,
            ErrorCode::Unauthorized,
        );
    }
}

#[tokio::test]
async fn a_logout_elsewhere_holds_within_a_moment() {
    let w = World::new().await;
    let alice = w.user("alice").await;
    let token =
        w.im.accounts()
            .login("alice", "correct horse", None)
            .await
            .unwrap()
            .token;
    w.im.accounts().authenticate(&token).await.unwrap();
    // Another node raises it; this one is not told.
    w.store.bump_token_version(alice.user_id).await.unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(1);
    while w.im.accounts().authenticate(&token).await.is_ok() {
        assert!(
            std::time::Instant::now() < deadline,
            "an old token still works"
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_token_that_another_node_gave_out_works_at_once() {
    let w = World::new().await;
    let alice = w.user("alice").await;
    let accounts = w.im.accounts();
    let log_in = || accounts.login("alice", "correct horse", None);
    let first = log_in().await.unwrap().token;
    // Asked, the version is remembered; another node raises it, and this one is not told.
    accounts.authenticate(&first).await.unwrap();
    w.store.bump_token_version(alice.user_id).await.unwrap();
    let second = log_in().await.unwrap().token;
    assert_eq!(accounts.authenticate(&second).await.unwrap().version, 2);
    refused(accounts.authenticate(&first).await, ErrorCode::Unauthorized);
}

#[tokio::test]
async fn names_are_resolved_and_found() {
    let w = World::new().await;
    let accounts = w.im.accounts();
    assert_eq!(accounts.resolve("Bob").await.unwrap(), None);
    let bob = w.user("Bob").await;
    let found = Some((bob.user_id, "Bob".to_owned()));
    assert_eq!(
        accounts.resolve("BOB").await.unwrap(),
        found,
        "a miss was remembered too long"
    );
    assert_eq!(accounts.resolve("bob").await.unwrap(), found);
    let names = accounts
        .usernames(&[bob.user_id, NOBODY, bob.user_id])
        .await
        .unwrap();
    assert_eq!(
        names.into_iter().collect::<Vec<_>>(),
        [(bob.user_id, "Bob".to_owned())]
    );

    let alice = w.user("alice").await;
    w.user("b_b").await;
    let search = async |keyword: &str| {
        let found = accounts.search(alice.user_id, keyword, 50).await.unwrap();
        found
            .into_iter()
            .map(|user| user.username)
            .collect::<Vec<_>>()
    };
    assert_eq!(search("B").await, ["b_b", "Bob"]);
    assert_eq!(search("_").await, ["b_b"], "an underscore is no wildcard");
    assert_eq!(search("%").await, [""; 0]);
    assert_eq!(search("alice").await, [""; 0], "one does not find oneself");
    refused(
        accounts.search(alice.user_id, " ", 50).await,
        ErrorCode::InvalidRequest,
    );
}
