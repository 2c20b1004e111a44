//! What users change of their accounts.

use lingxi_domain::names;

use super::users::nicknamed;
use crate::sql::args;
use crate::{ProfileChange, Store};

pub(super) async fn run(store: &Store) {
    let id = nicknamed(store, "cf.change", "Old Change").await;
    let found = async |keyword: &str| {
        let page = store.search_users(keyword, -1, None, 10).await.unwrap();
        page.rows.iter().filter(|user| user.id == id).count()
    };
    let change = |nickname: &str| ProfileChange {
        nickname: Some(nickname.into()),
        ..Default::default()
    };
    // A part that both names have, and one that is in the username too, stay.
    for (nickname, finds, misses) in [
        ("New Change", ["new", "ew ch"], ["old", "ld ch"]),
        ("新 cf.change", ["新", "cf.ch"], ["new", "ew ch"]),
        (&"é".repeat(64), ["éé", "cf.ch"], ["新", "w cf"]),
    ] {
        let changed = store.change_profile(id, &change(nickname)).await.unwrap();
        assert_eq!(changed.unwrap().nickname, nickname);
        for keyword in finds.into_iter().chain(["cf.change", "hange"]) {
            assert_eq!(found(keyword).await, 1, "{nickname}: {keyword}");
        }
        for keyword in misses {
            assert_eq!(found(keyword).await, 0, "{nickname}: {keyword}");
        }
        // No part is left that nothing leads to.
        let names = ["cf.change".to_owned(), names::fold(nickname)];
        let parts = names::parts(names.iter().map(String::as_str));
        let sql = "SELECT COUNT(*) FROM name_parts WHERE kind = 1 AND id = ?";
        let mut conn = store.db.begin().await.unwrap();
        let row = conn.fetch_one(sql, args![id]).await.unwrap();
        conn.commit().await.unwrap();
        assert_eq!(row.unwrap().int(0).unwrap(), parts.len() as i64);
    }
    let rest = ProfileChange {
        nickname: None,
        avatar: Some("https://a/".into()),
        signature: Some("s".into()),
    };
    let changed = store.change_profile(id, &rest).await.unwrap().unwrap();
    assert_eq!(store.user(id).await.unwrap(), Some(changed.clone()));
    assert_eq!(
        (changed.avatar.as_str(), changed.signature.as_str()),
        ("https://a/", "s")
    );
    // Nothing new is no error.
    assert_eq!(
        store.change_profile(id, &rest).await.unwrap(),
        Some(changed)
    );
    assert_eq!(store.change_profile(-1, &rest).await.unwrap(), None);

    assert_eq!(store.change_password(id, "", "one").await.unwrap(), Some(2));
    assert_eq!(store.change_password(id, "", "two").await.unwrap(), None);
    let (user, hash) = store.user_by_key("cf.change").await.unwrap().unwrap();
    assert_eq!((user.token_version, hash.as_str()), (2, "one"));
}
