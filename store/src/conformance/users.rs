//! Accounts: their names, and how they are found.

use lingxi_domain::now_ms;
use lingxi_domain::role::AccountRole;

use super::user;
use crate::{Error, NewUser, Store};

pub(super) async fn run(store: &Store) {
    names(store).await;
    search(store).await;
    tokens(store).await;
}

async fn names(store: &Store) {
    let id = user(store, "Conformance.Names").await;
    let again = NewUser {
        username: "conformance.NAMES",
        username_key: "conformance.names",
        password_hash: "",
        nickname: "",
        role: AccountRole::User,
        created_at: now_ms(),
    };
    let again = store.create_user(&again).await;
    assert!(
        matches!(again, Err(Error::Constraint("users_username_key"))),
        "{again:?}"
    );
    let (found, hash) = store
        .user_by_key("conformance.names")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (found.id, found.username.as_str(), hash.as_str()),
        (id, "Conformance.Names", "")
    );
    for other in [
        "conformance.names ",
        "CONFORMANCE.NAMES",
        "conformance.námes",
    ] {
        assert!(
            store.user_by_key(other).await.unwrap().is_none(),
            "{other:?} is another name"
        );
        if other != "CONFORMANCE.NAMES" {
            user(store, other).await;
        }
    }
    let users = store.users(&[id, -1]).await.unwrap();
    assert_eq!(users.len(), 1);
    let many: Vec<i64> = (0..600).map(|n| id - 300 + n).collect();
    assert!(
        store
            .usernames(&many)
            .await
            .unwrap()
            .contains(&(id, "Conformance.Names".into()))
    );
    assert!(store.users(&[]).await.unwrap().is_empty());
}

async fn search(store: &Store) {
    let nicknames = [
        ("cf.s1", "Zoë 100%"),
        ("cf.s2", "ZOE_x!"),
        ("cf.s3", "灵犀😀𠮷"),
        ("cf.s4", "zoÉ"),
        ("cf.s5", "Äther"),
    ];
    for (name, nickname) in nicknames {
        let new = NewUser {
            username: name,
            username_key: name,
            password_hash: "",
            nickname,
            role: AccountRole::User,
            created_at: now_ms(),
        };
        store.create_user(&new).await.unwrap();
    }
    let found = async |keyword: &str| {
        let users = store.search_users(keyword, -1, 10).await.unwrap();
        let names: Vec<String> = users.into_iter().map(|u| u.username).collect();
        names.concat().replace("cf.s", "")
    };
    assert_eq!(
        found("CF.S").await,
        "12345",
        "ASCII letters of any case, by name"
    );
    assert_eq!(found("zo").await, "124");
    assert_eq!(found("zoë").await, "1", "an accent makes another letter");
    assert_eq!(found("ZOE").await, "2");
    assert_eq!(
        found("zoé").await,
        "",
        "beyond ASCII, upper case is another letter"
    );
    assert_eq!(found("ther").await, "5");
    assert_eq!(found("😀").await, "3");
    assert_eq!(found("𠮷").await, "3");
    assert_eq!(found("0%").await, "1", "no wildcard");
    assert_eq!(found("e_x").await, "2");
    assert_eq!(found("x!").await, "2");
    assert_eq!(found("cf_s").await, "");
    let one = store.search_users("cf.s", -1, 1).await.unwrap();
    assert_eq!(one[0].username, "cf.s1");
    let next = store.search_users("cf.s", one[0].id, 1).await.unwrap();
    assert_eq!(next[0].username, "cf.s2", "one is left out");
}

async fn tokens(store: &Store) {
    let id = user(store, "conformance.tokens").await;
    assert_eq!(store.token_versions(&[id]).await.unwrap(), [(id, 1, false)]);
    assert_eq!(store.bump_token_version(id).await.unwrap(), 2);
    store.set_role(id, AccountRole::Admin).await.unwrap();
    let found = store.user(id).await.unwrap().unwrap();
    assert_eq!((found.token_version, found.role), (2, AccountRole::Admin));
    assert!(store.bump_token_version(-1).await.is_err());
    assert!(store.user(-1).await.unwrap().is_none());
}
