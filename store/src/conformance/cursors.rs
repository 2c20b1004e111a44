//! Cursors: never back, never past what was not confirmed.

use lingxi_domain::now_ms;
use lingxi_domain::role::GroupRole;

use super::user;
use crate::{ConversationHead, CursorMove, Store};

pub(super) async fn run(store: &Store) {
    let carol = user(store, "conformance.carol").await;
    let key = format!("d:{carol}:{carol}");
    let mut tx = store.begin().await.unwrap();
    let head = ConversationHead {
        conversation: key.clone(),
        version: 1,
        last_seq: 10,
        message_seq: 10,
        last_time: now_ms(),
    };
    tx.put_heads(&[head]).await.unwrap();
    tx.add_direct_members(&[(&key, carol)], now_ms())
        .await
        .unwrap();
    tx.commit().await.unwrap();

    let delivered = async || {
        store
            .member(&key, carol)
            .await
            .unwrap()
            .unwrap()
            .delivered_seq
    };
    let step = async |from, to| {
        let m = CursorMove {
            conversation: key.clone(),
            user_id: carol,
            from,
            to,
        };
        store.move_cursors(&[m]).await.unwrap();
        delivered().await
    };
    assert_eq!(step(1, 3).await, 3);
    assert_eq!(step(5, 6).await, 3, "4 was not confirmed");
    assert_eq!(step(2, 5).await, 5, "an overlap is no hole");
    assert_eq!(step(1, 4).await, 5, "never back");

    let heads = store.unconfirmed_heads(&[carol, -1]).await.unwrap();
    assert_eq!(heads.len(), 1);
    assert_eq!((heads[0].delivered_seq, heads[0].last_seq), (5, 10));
    assert_eq!(
        store.mark_read(&key, carol, 7).await.unwrap().unwrap().now,
        7
    );
    assert_eq!(delivered().await, 7, "what was read was delivered");
    assert_eq!(
        store.mark_read(&key, carol, 2).await.unwrap().unwrap().now,
        7,
        "never back"
    );
    assert_eq!(
        store.mark_read(&key, carol, 99).await.unwrap().unwrap().now,
        10,
        "at most the head"
    );
    assert!(store.mark_read(&key, -1, 1).await.unwrap().is_none());
    let mut tx = store.begin().await.unwrap();
    let head = ConversationHead {
        conversation: key.clone(),
        version: 1,
        last_seq: 12,
        message_seq: 12,
        last_time: now_ms(),
    };
    tx.put_heads(&[head]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(step(1, i64::MAX).await, 12, "at most to the head");
    assert!(store.unconfirmed_heads(&[carol]).await.unwrap().is_empty());
    many(store, &key).await;
}

/// Many moves at once, several of one member among them, in any order.
async fn many(store: &Store, of_carol: &str) {
    let key = "g:987654323";
    let mut tx = store.begin().await.unwrap();
    let head = ConversationHead {
        conversation: key.into(),
        version: 1,
        last_seq: 300,
        message_seq: 300,
        last_time: now_ms(),
    };
    tx.put_heads(&[head]).await.unwrap();
    let users: Vec<_> = (1_000_001..1_000_701)
        .map(|user| (user, GroupRole::Member))
        .collect();
    tx.add_members(key, &users, 1, now_ms()).await.unwrap();
    tx.commit().await.unwrap();
    let m = |conversation: &str, user_id, from, to| CursorMove {
        conversation: conversation.into(),
        user_id,
        from,
        to,
    };
    let mut moves: Vec<_> = users.iter().map(|&(user, _)| m(key, user, 1, 5)).collect();
    moves.extend([
        m(key, 1_000_002, 9, 12),
        m(key, 1_000_001, 9, 12),
        m(key, 1_000_001, 6, 8),
        m(key, 999, 1, 5),
        m("g:987654324", 1_000_001, 1, 5),
        m(of_carol, 999, 1, 5),
    ]);
    store.move_cursors(&moves).await.unwrap();
    store.move_cursors(&[]).await.unwrap();
    let stands = async |user| {
        let member = store.member(key, user).await.unwrap();
        member.unwrap().delivered_seq
    };
    assert_eq!(stands(1_000_001).await, 12, "three moves that touch");
    assert_eq!(stands(1_000_002).await, 5, "6 to 8 were not confirmed");
    assert_eq!(stands(1_000_700).await, 5);
    assert_eq!(store.member(key, 999).await.unwrap(), None, "no stranger");
}
