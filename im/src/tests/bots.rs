//! Bots, and operators' tokens.

use lingxi_domain::ErrorCode;
use lingxi_domain::role::AccountRole;

use super::World;
use crate::Registration;

async fn operator(world: &World, role: AccountRole) -> i64 {
    let new = Registration {
        username: "root".to_owned(),
        password: "correct horse".to_owned(),
        nickname: None,
    };
    let id = world.im.accounts().appoint(&new).await.unwrap();
    world.store.set_role(id, role).await.unwrap();
    id
}

#[tokio::test]
async fn an_operators_token_is_worth_the_role_that_the_account_has_now() {
    let world = World::new().await;
    let accounts = world.im.accounts();
    let id = operator(&world, AccountRole::Admin).await;
    let login = accounts.login_operator("root", "correct horse", None);
    let token = login.await.unwrap().token;
    let role = async || {
        let known = accounts.authenticate_operator(&token).await;
        known.map(|known| known.role).map_err(|error| error.code())
    };
    assert_eq!(role().await, Ok(AccountRole::Admin));
    // It opens nothing that users do, and theirs nothing of operators.
    let refused = accounts.authenticate(&token).await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Unauthorized);
    let chat = accounts.login("root", "correct horse", None).await.unwrap();
    let refused = accounts.authenticate_operator(&chat.token).await;
    assert_eq!(refused.unwrap_err().code(), ErrorCode::Unauthorized);

    world.store.set_role(id, AccountRole::Viewer).await.unwrap();
    assert_eq!(role().await, Ok(AccountRole::Viewer));
    for role_now in [AccountRole::User, AccountRole::Bot] {
        world.store.set_role(id, role_now).await.unwrap();
        assert_eq!(role().await, Err(ErrorCode::Unauthorized));
    }
    world.store.set_role(id, AccountRole::Admin).await.unwrap();
    let version = world.store.bump_token_version(id).await.unwrap();
    accounts.token_version_changed(id, version).await;
    assert_eq!(role().await, Err(ErrorCode::Unauthorized));
}

#[tokio::test]
async fn only_operators_log_in_as_such() {
    let world = World::new().await;
    world.user("alice").await;
    let refused = async |name: &str, password: &str| {
        let accounts = world.im.accounts();
        let login = accounts.login_operator(name, password, None);
        login.await.map(|_| ()).map_err(|error| error.code())
    };
    let wrong = Err(ErrorCode::InvalidCredentials);
    assert_eq!(refused("alice", "correct horse").await, wrong);
    operator(&world, AccountRole::Moderator).await;
    assert_eq!(refused("root", "wrong password").await, wrong);
    assert_eq!(refused("root", "correct horse").await, Ok(()));
}

#[tokio::test]
async fn a_bot_that_once_had_a_password_is_refused_with_it() {
    let world = World::new().await;
    let id = operator(&world, AccountRole::Bot).await;
    let accounts = world.im.accounts();
    let refused = accounts.login("root", "correct horse", None);
    assert_eq!(
        refused.await.unwrap_err().code(),
        ErrorCode::InvalidCredentials
    );
    world.store.set_role(id, AccountRole::User).await.unwrap();
    let login = accounts.login("root", "correct horse", None);
    login.await.unwrap();
}

#[tokio::test]
async fn a_bots_token_lasts_for_years_until_it_is_revoked() {
    let world = World::new().await;
    let (accounts, bots) = (world.im.accounts(), world.im.bots());
    let made = bots.create("robot", None).await.unwrap();
    let known = accounts.authenticate(&made.token).await.unwrap();
    assert_eq!((known.user_id, known.role), (made.id, AccountRole::Bot));
    let years = (known.expires_at - lingxi_domain::now_ms()) / (365 * 24 * 3600 * 1000);
    assert!((9..=10).contains(&years), "{years}");
    let another = bots.token("Robot").await.unwrap();
    accounts.authenticate(&another).await.unwrap();
    bots.revoke("robot").await.unwrap();
    for token in [&made.token, &another] {
        let refused = accounts.authenticate(token).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Unauthorized);
    }
    let fresh = bots.token("robot").await.unwrap();
    accounts.authenticate(&fresh).await.unwrap();
}

#[tokio::test]
async fn a_webhook_is_set_and_removed() {
    let world = World::new().await;
    let bots = world.im.bots();
    bots.create("robot", Some("R")).await.unwrap();
    let set = bots.set_webhook("robot", "https://8.8.8.8/a", None).await;
    let set = set.unwrap();
    let other = bots.set_webhook("robot", "https://8.8.8.8/b", None).await;
    assert_ne!(set.secret, other.unwrap().secret);
    let kept = bots.set_webhook("robot", "https://8.8.8.8/b", Some(&set.secret));
    assert_eq!(kept.await.unwrap().secret, set.secret);
    let (page, total) = bots.page(None, 10).await.unwrap();
    assert_eq!((page.items[0].nickname.as_str(), total), ("R", 1));
    let url = page.items[0].webhook.as_ref().map(|hook| hook.url.as_str());
    assert_eq!(url, Some("https://8.8.8.8/b"));
    bots.remove_webhook("robot").await.unwrap();
    bots.remove_webhook("robot").await.unwrap();
    let (page, _) = bots.page(None, 10).await.unwrap();
    assert_eq!(page.items[0].webhook, None);
    // By a name that means this machine, whatever it is called.
    for url in ["http://localhost/", "http://127.0.0.1:9080/"] {
        let refused = bots.set_webhook("robot", url, None).await.unwrap_err();
        assert_eq!(refused.code(), ErrorCode::InvalidRequest, "{url}");
    }
}
