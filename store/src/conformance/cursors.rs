//! Cursors: never back, never past what was not confirmed.

use lingxi_domain::now_ms;

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
}
