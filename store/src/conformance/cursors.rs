//! Cursors: never back, never past what was not confirmed.

use lingxi_domain::role::GroupRole;
use lingxi_domain::{UserId, now_ms};

use super::user;
use crate::{ConversationHead, CursorMove, ReadMark, ReadMove, Store};

pub(super) async fn run(store: &Store) {
    let carol = user(store, "conformance.carol").await;
    let key = format!("d:{carol}:{carol}");
    let mut tx = store.begin().await.unwrap();
    let head = ConversationHead {
        last_seq: 10,
        message_seq: 10,
        ..ConversationHead::new(key.clone(), now_ms())
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
    let read = async |user_id, upto| {
        let mark = ReadMark {
            conversation: &key,
            user_id,
            upto,
        };
        store.mark_read(&[mark]).await.unwrap()[0]
    };
    let moved = |before, now| Some(ReadMove { before, now });
    assert_eq!(read(carol, 7).await, moved(0, 7));
    assert_eq!(delivered().await, 7, "what was read was delivered");
    assert_eq!(read(carol, 2).await, moved(7, 7), "never back");
    assert_eq!(read(carol, 99).await, moved(7, 10), "at most the head");
    assert_eq!(read(-1, 1).await, None);
    let mut tx = store.begin().await.unwrap();
    let head = ConversationHead {
        last_seq: 12,
        message_seq: 12,
        ..ConversationHead::new(key.clone(), now_ms())
    };
    tx.put_heads(&[head]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(step(1, i64::MAX).await, 12, "at most to the head");
    assert!(store.unconfirmed_heads(&[carol]).await.unwrap().is_empty());
    many(store, &key).await;
    many_read(store, &key).await;
}

/// Seven hundred members of a conversation with three hundred entries.
async fn crowd(store: &Store, key: &str) -> Vec<(UserId, GroupRole)> {
    let mut tx = store.begin().await.unwrap();
    let head = ConversationHead {
        last_seq: 300,
        message_seq: 300,
        ..ConversationHead::new(key, now_ms())
    };
    tx.put_heads(&[head]).await.unwrap();
    let users: Vec<_> = (1_000_001..1_000_701)
        .map(|user| (user, GroupRole::Member))
        .collect();
    tx.add_members(key, &users, 1, now_ms()).await.unwrap();
    tx.commit().await.unwrap();
    users
}

/// Many moves at once, several of one member among them, in any order.
async fn many(store: &Store, of_carol: &str) {
    let key = "g:987654323";
    let users = crowd(store, key).await;
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

/// Many marks at once, several of one member, strangers and a former member among them, in any order.
async fn many_read(store: &Store, of_carol: &str) {
    let key = "g:987654325";
    let users = crowd(store, key).await;
    let mut tx = store.begin().await.unwrap();
    tx.end_membership(key, 1_000_003, 40).await.unwrap();
    tx.commit().await.unwrap();
    let confirmed = CursorMove {
        conversation: key.into(),
        user_id: 1_000_004,
        from: 1,
        to: 200,
    };
    store.move_cursors(&[confirmed]).await.unwrap();

    let mark = |conversation, user_id, upto| ReadMark {
        conversation,
        user_id,
        upto,
    };
    let mut marks: Vec<_> = users
        .iter()
        .rev()
        .map(|&(user, _)| mark(key, user, 50))
        .collect();
    marks.extend([
        mark(key, 1_000_001, 90),
        mark(key, 1_000_001, 70),
        mark(key, 999, 5),
        mark("g:987654326", 1_000_001, 5),
        mark(of_carol, 999, 5),
    ]);
    let moves = store.mark_read(&marks).await.unwrap();
    assert_eq!(moves.len(), marks.len());
    let moved = |now| Some(ReadMove { before: 0, now });
    let of = |user: i64| moves[usize::try_from(1_000_700 - user).unwrap()];
    assert_eq!(of(1_000_700), moved(50));
    assert_eq!(of(1_000_003), moved(40), "what a former member may see");
    assert_eq!(moves[700..702], [moved(90), moved(70)]);
    assert_eq!(moves[702..], [None, None, None], "no strangers");
    let stands = async |user| {
        let member = store.member(key, user).await.unwrap().unwrap();
        (member.read_seq, member.delivered_seq)
    };
    assert_eq!(stands(1_000_700).await, (50, 50));
    assert_eq!(stands(1_000_001).await, (90, 90), "the farthest counts");
    assert_eq!(stands(1_000_003).await, (40, 40));
    assert_eq!(stands(1_000_004).await, (50, 200), "delivered stays ahead");
    assert_eq!(store.mark_read(&[]).await.unwrap(), []);
    // Decided before somebody else moved it farther.
    store.move_read(&[mark(key, 1_000_001, 60)]).await.unwrap();
    assert_eq!(stands(1_000_001).await, (90, 90), "never back");
}
