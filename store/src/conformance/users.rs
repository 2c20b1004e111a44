//! Accounts: their names, and how they are found.

use lingxi_domain::role::AccountRole;
use lingxi_domain::{UserId, names, now_ms};

use super::user;
use crate::sql::args;
use crate::{Error, NewUser, Store};

pub(super) async fn run(store: &Store, open: &impl AsyncFn() -> Store) {
    keys(store).await;
    search(store).await;
    search_is_bounded(store).await;
    lookalikes(store).await;
    older_rows(store, open).await;
    tokens(store).await;
}

async fn keys(store: &Store) {
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

/// An account of its own with that nickname.
pub(super) async fn nicknamed(store: &Store, name: &str, nickname: &str) -> UserId {
    let new = NewUser {
        username: name,
        username_key: &names::username_key(name),
        password_hash: "",
        nickname,
        role: AccountRole::User,
        created_at: now_ms(),
    };
    store.create_user(&new).await.unwrap()
}

async fn search(store: &Store) {
    for (name, nickname) in [
        ("cf.s1", "Zoë 100%"),
        ("cf.s2", "ZOE_x!"),
        ("cf.s3", "灵犀😀𠮷"),
        ("cf.s4", "zoÉ"),
        ("cf.s5", "Äther Strasse"),
        ("cf.s6", "Алиса Zo"),
        ("cf.s7", "STRAßE cf.s"),
        ("cf.s8", "İstanbul"),
    ] {
        nicknamed(store, name, nickname).await;
    }
    let found = async |keyword: &str| {
        let keyword = names::fold(keyword);
        let page = store.search_users(&keyword, -1, None, 10).await.unwrap();
        assert!(!page.has_more);
        let names: Vec<String> = page.rows.into_iter().map(|u| u.username).collect();
        names.concat().replace("cf.s", "")
    };
    for (keyword, expected) in [
        ("CF.S", "71234568"),
        ("zo", "6241"),
        ("zoë", "1"),
        ("ZOE", "2"),
        ("ZOÉ", "4"),
        ("ther", "5"),
        ("äTHER", "5"),
        ("strasse", "57"),
        ("Straße", "57"),
        ("алиса", "6"),
        ("ЛИС", "6"),
        ("istanbul", "8"),
        ("ISTANBUL", "8"),
        ("ｚｏｅ＿", "2"),
        ("😀", "3"),
        ("𠮷", "3"),
        ("犀", "3"),
        ("0%", "1"),
        ("e_x", "2"),
        ("x!", "2"),
        ("cf_s", ""),
        ("", ""),
    ] {
        assert_eq!(found(keyword).await, expected, "{keyword}");
    }
    let me = store.search_users("cf.s1", -1, None, 1).await.unwrap();
    let others = store.search_users("cf.s1", me.rows[0].id, None, 1).await;
    assert_eq!(others.unwrap().rows, [], "one is left out");
    pages(store).await;
}

/// Each is found once, in one order, however long the pages are.
async fn pages(store: &Store) {
    let mut made = Vec::new();
    for n in 0..40 {
        // Found by both names, several times by each, and by the same part as others.
        let nickname = ["Pgpgpg", "x pg", "pg y pg"][n % 3];
        made.push(nicknamed(store, &format!("cf.pg{n}pg"), nickname).await);
    }
    let all = store.search_users("pg", -1, None, 100).await.unwrap();
    assert!(!all.has_more);
    let all: Vec<UserId> = all.rows.iter().map(|user| user.id).collect();
    let mut sorted = all.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, made, "each once");
    for limit in [1, 3, 7, 39, 40] {
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = store.search_users("pg", -1, after, limit).await.unwrap();
            paged.extend(page.rows.iter().map(|user| user.id));
            after = paged.last().copied();
            assert!(page.rows.len() <= limit);
            if !page.has_more {
                break;
            }
            assert_eq!(page.rows.len(), limit);
        }
        assert_eq!(paged, all, "pages of {limit}");
    }
    let after = store.search_users("pg", -1, Some(-1), 5).await.unwrap();
    assert_eq!(after.rows, [], "nothing comes after what is not found");
    let long = format!("cf.{}", "y".repeat(40));
    let id = nicknamed(store, "cf.long", &long).await;
    let found = store.search_users(&long, -1, None, 5).await.unwrap();
    assert_eq!(found.rows.iter().map(|u| u.id).collect::<Vec<_>>(), [id]);
    let found = store.search_users(&format!("{long}y"), -1, None, 5).await;
    assert_eq!(found.unwrap().rows, [], "longer than the parts");
}

/// A search reads so many rows of the index and no more; the pages go on behind that.
async fn search_is_bounded(store: &Store) {
    let mut all = Vec::new();
    for n in 0..300 {
        // Sixteen parts that begin with the keyword, beside each other in the index.
        let words: Vec<String> = ('a'..='t').map(|word| format!("q{n:03}{word}")).collect();
        all.push(nicknamed(store, &format!("cf.bound{n}"), &words.join(" ")).await);
    }
    let first = store.search_users("q", -1, None, 300).await.unwrap();
    // Of 2 000 rows, and of the rest of a batch.
    let most = (2_000 + 256) / 16;
    let count = first.rows.len();
    assert!(first.has_more && count <= most, "{count} were found");
    let (mut found, mut page) = (Vec::new(), first);
    loop {
        found.extend(page.rows.iter().map(|user| user.id));
        if !page.has_more {
            break;
        }
        let last = found.last().copied();
        page = store.search_users("q", -1, last, 300).await.unwrap();
    }
    found.sort_unstable();
    assert_eq!(found, all);
}

async fn lookalikes(store: &Store) {
    user(store, "cf.scope").await;
    for name in ["cf.ѕсоре", "cf.sсope", "CF.SСOPE"] {
        let new = NewUser {
            username: name,
            username_key: &names::username_key(name),
            password_hash: "",
            nickname: "",
            role: AccountRole::User,
            created_at: now_ms(),
        };
        let made = store.create_user(&new).await;
        assert!(
            matches!(made, Err(Error::Constraint("users_username_skeleton"))),
            "{name}: {made:?}"
        );
    }
    user(store, "cf.corn").await;
    user(store, "cf.com").await;
}

/// What was made by the version before is found by all its names, once this one has opened the store.
async fn older_rows(store: &Store, open: &impl AsyncFn() -> Store) {
    let old = async |name: &str, nickname: &str| {
        let sql = "INSERT INTO users (username, username_key, password_hash, nickname, created_at) \
                   VALUES (?, ?, 'old hash', ?, 1)";
        let mut conn = store.db.begin().await.unwrap();
        let id = conn
            .insert(sql, args![name, name.to_lowercase(), nickname])
            .await
            .unwrap();
        conn.commit().await.unwrap();
        id
    };
    let jamo = "cf\u{1112}\u{1161}\u{11ab}";
    let wide = old("ｃｆＯＬＤ", "Älter\nals alles").await;
    let both = [old("cf한", "").await, old(jamo, "second").await];
    let mut many = Vec::new();
    for n in 0..300 {
        many.push(old(&format!("cf.many{n}"), "Vorige").await);
    }
    let sql = "INSERT INTO chat_groups (name, owner_id, announcement, max_count, created_at) VALUES ('CF ÄLTER', 1, '', 5, 1)";
    let group = store.execute(sql, vec![]).await;
    assert!(group.is_ok());
    let (one, other) = tokio::join!(open(), open());
    for store in [&one, &other] {
        let key = async |key: &str| {
            let found = store.user_by_key(key).await.unwrap();
            found.map(|(user, _)| user.id)
        };
        assert_eq!(key("cfold").await, Some(wide), "it has its present key");
        assert_eq!(key("ｃｆｏｌｄ").await, None);
        assert_eq!(key("cf한").await, Some(both[0]), "who has it keeps it");
        assert_eq!(key(jamo).await, Some(both[1]), "and the other what it had");
        let found = store.search_users("älter als", -1, None, 5).await.unwrap();
        assert_eq!(found.rows[0].id, wide);
        let found = store.search_users("second", -1, None, 5).await.unwrap();
        assert_eq!(found.rows[0].id, both[1]);
        let found = store.search_users("vorige", -1, None, 400).await.unwrap();
        assert_eq!(found.rows.len(), many.len());
        let found = store.search_groups("cf älter", None, 1, None, 5).await;
        assert_eq!(found.unwrap().rows[0].name, "CF ÄLTER");
    }
    let taken = NewUser {
        username: "cfOld",
        username_key: "cfold",
        password_hash: "",
        nickname: "",
        role: AccountRole::User,
        created_at: 1,
    };
    let taken = one.create_user(&taken).await;
    assert!(matches!(
        taken,
        Err(Error::Constraint("users_username_key"))
    ));
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
