//! Transactions that get in each other's way.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use lingxi_domain::{message_id, now_ms};

use super::{entries::message, user};
use crate::sql::Dialect;
use crate::{ConversationHead, Error, Result, Store};

pub(super) async fn run(store: &Store) {
    deadlock(store).await;
    second_try(store).await;
}

/// Two transactions lock two conversations in opposite order: each is done once, whoever has to run again.
async fn deadlock(store: &Store) {
    let keys = ["g:777000001", "g:777000002"];
    let mut tx = store.begin().await.unwrap();
    for key in keys {
        tx.put_heads(&[head(key, 0)]).await.unwrap();
    }
    tx.commit().await.unwrap();
    let (first_locks, rolled_back) = (AtomicU32::new(0), AtomicU32::new(0));
    let once = async |order: [&str; 2]| -> Result<()> {
        let mut tx = store.begin().await?;
        let mut heads = tx.lock_conversations(&order[..1]).await?;
        first_locks.fetch_add(1, Ordering::Relaxed);
        // Both have their first lock, where the database lets both begin.
        let patience = tokio::time::Instant::now() + Duration::from_millis(300);
        while first_locks.load(Ordering::Relaxed) < 2 && tokio::time::Instant::now() < patience {
            tokio::task::yield_now().await;
        }
        heads.extend(tx.lock_conversations(&order[1..]).await?);
        for head in &mut heads {
            head.last_seq += 1;
        }
        tx.put_heads(&heads).await?;
        tx.commit().await
    };
    let both = async |order| {
        let counted = async || {
            let outcome = once(order).await;
            if matches!(&outcome, Err(error) if error.was_rolled_back()) {
                rolled_back.fetch_add(1, Ordering::Relaxed);
            }
            outcome
        };
        store.retried(counted).await.unwrap();
    };
    tokio::join!(both(keys), both([keys[1], keys[0]]));
    for key in keys {
        let head = store.conversation(key).await.unwrap().unwrap();
        assert_eq!(head.last_seq, 2, "each is done once");
    }
    if store.dialect() == Dialect::MySql {
        assert!(
            rolled_back.load(Ordering::Relaxed) > 0,
            "there was no deadlock"
        );
    }
}

/// A violated constraint takes back its statement only: the transaction goes on.
async fn second_try(store: &Store) {
    let sender = user(store, "conformance.frank").await;
    let key = format!("d:{sender}:{sender}");
    let (id, next) = (
        message_id::next_owned(0, 3),
        message_id::next_owned(0, 3) + 64 * 64 * 50,
    );
    let mut tx = store.begin().await.unwrap();
    tx.put_heads(&[head(&key, 2)]).await.unwrap();
    tx.insert_entries(&[message(id, &key, 1, sender, "a")])
        .await
        .unwrap();
    let clash = tx
        .insert_entries(&[message(id, &key, 2, sender, "b")])
        .await;
    assert!(
        matches!(clash, Err(Error::Constraint("entries_id"))),
        "{clash:?}"
    );
    tx.insert_entries(&[message(next, &key, 2, sender, "b")])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let page = store
        .history_page(
            &key,
            (1, 9),
            crate::Bounds {
                rows: 9,
                bytes: usize::MAX,
            },
            true,
            false,
        )
        .await
        .unwrap()
        .entries;
    assert_eq!(page.iter().map(|e| e.id).collect::<Vec<_>>(), [id, next]);
}

fn head(key: &str, last_seq: i64) -> ConversationHead {
    ConversationHead {
        last_seq,
        ..ConversationHead::new(key, now_ms())
    }
}
