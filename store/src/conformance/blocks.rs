//! Whom users block, who waits to be let into groups, and links into them.

use lingxi_domain::{ConversationKey, now_ms};

use super::user;
use crate::{InviteLink, Store};

pub(super) async fn run(store: &Store) {
    blocks(store).await;
    requests(store).await;
    links(store).await;
}

async fn blocks(store: &Store) {
    let (a, b) = (user(store, "cf.low").await, user(store, "cf.high").await);
    let key = ConversationKey::direct(a, b).to_string();
    let marks = async || {
        let head = store.conversation(&key).await.unwrap();
        head.map(|head| (head.blocked_by, head.last_seq))
    };
    let set = async |pair, blocked| {
        let mut tx = store.begin().await.unwrap();
        tx.set_blocked(pair, blocked, 7).await.unwrap();
        tx.commit().await.unwrap();
    };
    // Nothing to take away, and no conversation is made for it.
    set((a, b), false).await;
    assert_eq!(marks().await, None);
    set((b, a), true).await;
    assert_eq!(marks().await, Some((2, 0)), "it has not begun");
    set((b, a), true).await;
    set((a, b), true).await;
    assert_eq!(marks().await, Some((3, 0)));
    let among = async |user, others: &[i64]| store.blockers_among(user, others).await.unwrap();
    assert_eq!(among(a, &[a, b]).await, [b].into());
    assert_eq!(among(b, &[a, b]).await, [a].into());
    assert!(among(b, &[]).await.is_empty());

    // A head that is written does not touch it.
    let mut tx = store.begin().await.unwrap();
    let mut head = tx.lock_conversation(&key).await.unwrap().unwrap();
    assert_eq!(head.blocked_by, 3);
    head.last_seq = 1;
    head.blocked_by = 0;
    tx.put_heads(&[head]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(marks().await, Some((3, 1)));
    set((b, a), false).await;
    assert_eq!(marks().await, Some((1, 1)));

    let c = user(store, "cf.middle").await;
    set((a, c), true).await;
    let page = async |after: &str, limit| {
        let rows = store.blocked_page(a, after, limit).await.unwrap();
        let named = rows.into_iter().map(|row| (row.username, row.created_at));
        named.collect::<Vec<_>>()
    };
    let (high, middle) = (("cf.high".to_owned(), 7), ("cf.middle".to_owned(), 7));
    assert_eq!(page("", 10).await, [high.clone(), middle.clone()]);
    assert_eq!(page("", 1).await, [high]);
    assert_eq!(page("cf.high", 10).await, [middle]);
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.count_blocked(a, 10).await.unwrap(), 2);
    assert_eq!(tx.count_blocked(a, 1).await.unwrap(), 1);
    assert!(tx.blocks(a, c).await.unwrap());
    assert!(!tx.blocks(c, a).await.unwrap());
}

async fn requests(store: &Store) {
    let group = now_ms();
    let mut waiting = Vec::new();
    for (name, at) in [("cf.wait.c", 2), ("cf.wait.a", 1), ("cf.wait.b", 2)] {
        let id = user(store, name).await;
        let mut tx = store.begin().await.unwrap();
        tx.put_join_request(group, id, at).await.unwrap();
        tx.put_join_request(group, id, 9).await.unwrap();
        tx.commit().await.unwrap();
        waiting.push(id);
    }
    let page = async |after, limit| {
        let rows = store.join_requests_page(group, after, limit).await.unwrap();
        let ids = rows.into_iter().flatten();
        let ids = ids.map(|row| (row.user_id, row.created_at));
        ids.collect::<Vec<_>>()
    };
    let [c, a, b] = [waiting[0], waiting[1], waiting[2]];
    let (first, rest) = ((a, 1), [(c, 2), (b, 2)]);
    assert_eq!(page(None, 10).await, [first, rest[0], rest[1]]);
    assert_eq!(page(None, 1).await, [first]);
    assert_eq!(page(Some(a), 10).await, rest);
    assert_eq!(page(Some(b), 10).await, []);
    let mut tx = store.begin().await.unwrap();
    assert!(tx.has_join_request(group, b).await.unwrap());
    assert!(!tx.has_join_request(group + 1, b).await.unwrap());
    assert_eq!(tx.count_join_requests(group, 10).await.unwrap(), 3);
    assert_eq!(tx.count_join_requests(group, 2).await.unwrap(), 2);
    assert!(tx.delete_join_request(group, a).await.unwrap());
    assert!(!tx.delete_join_request(group, a).await.unwrap());
    tx.commit().await.unwrap();
    let behind = store.join_requests_page(group, Some(a), 10).await.unwrap();
    assert_eq!(
        behind, None,
        "behind who waits no more nobody knows a place"
    );
}

async fn links(store: &Store) {
    let group = now_ms();
    let link = |code: &str, expires_at, max_uses| InviteLink {
        code: format!("{code}-{group}"),
        group_id: group,
        created_by: 1,
        created_at: 5,
        expires_at,
        max_uses,
    };
    let (ever, timed, twice) = (
        link("ever", None, None),
        link("timed", Some(100), None),
        link("twice", None, Some(2)),
    );
    let mut tx = store.begin().await.unwrap();
    for link in [&ever, &timed, &twice] {
        tx.put_invite_link(link).await.unwrap();
    }
    assert_eq!(tx.working_links(group, 99).await.unwrap(), 3);
    for (link, now, works) in [
        (&ever, 1 << 50, true),
        (&timed, 99, true),
        (&timed, 100, false),
        (&twice, 1, true),
        (&twice, 1, true),
        (&twice, 1, false),
    ] {
        let used = tx.use_invite_link(&link.code, group, now).await.unwrap();
        assert_eq!(used, works, "{link:?} at {now}");
    }
    let elsewhere = tx.use_invite_link(&ever.code, group + 1, 1).await.unwrap();
    assert!(!elsewhere, "it leads into one group");
    tx.commit().await.unwrap();
    let found = store.invite_link(&ever.code).await.unwrap();
    assert_eq!(found, Some(ever.clone()));
    assert_eq!(store.invite_link("no such").await.unwrap(), None);
    let mut tx = store.begin().await.unwrap();
    assert_eq!(
        tx.working_links(group, 100).await.unwrap(),
        1,
        "those that no longer work are gone"
    );
    assert!(tx.delete_invite_link(&ever.code).await.unwrap());
    assert!(!tx.delete_invite_link(&ever.code).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(store.invite_link(&timed.code).await.unwrap(), None);
}
