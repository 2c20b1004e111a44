//! Where users are mentioned, and what a message is found by.

use lingxi_domain::detail::EVERYBODY;
use lingxi_domain::now_ms;
use lingxi_domain::role::GroupRole;

use super::user;
use crate::{ConversationHead, EntryKind, Mention, NewEntry, ReadMark, Store};

pub(super) async fn run(store: &Store) {
    let a = user(store, "cf.mention.a").await;
    let b = user(store, "cf.mention.b").await;
    let base = (1 << 42) + a * 64;
    let key = format!("g:{base}");
    let mut tx = store.begin().await.unwrap();
    let head = ConversationHead {
        conversation: key.clone(),
        version: 1,
        last_seq: 3000,
        message_seq: 3000,
        last_time: now_ms(),
        blocked_by: 0,
    };
    tx.put_heads(&[head]).await.unwrap();
    tx.add_members(&key, &[(a, GroupRole::Owner)], 1, 1)
        .await
        .unwrap();
    tx.add_members(&key, &[(b, GroupRole::Member)], 3, 2)
        .await
        .unwrap();
    let at = |user_id, seq, sender_id| Mention {
        conversation: &key,
        user_id,
        seq,
        sender_id,
    };
    let mentions = [
        at(b, 2, a),
        at(b, 3, a),
        at(b, 4, b),
        at(b, 5, a),
        at(a, 5, a),
        at(EVERYBODY, 6, a),
        at(EVERYBODY, 7, b),
        at(b, 2999, a),
    ];
    tx.insert_mentions(&mentions).await.unwrap();
    tx.insert_mentions(&[]).await.unwrap();
    for (seq, kind) in [(1, EntryKind::Joined), (2, EntryKind::Message)] {
        let entry = NewEntry {
            id: base + seq,
            conversation: &key,
            seq,
            kind,
            sender_id: a,
            msg_id: Some("mine").filter(|_| kind == EntryKind::Message),
            content: "text",
            created_at: now_ms(),
            ..NewEntry::default()
        };
        tx.insert_entries(&[entry]).await.unwrap();
    }
    tx.commit().await.unwrap();
    let count = async |user| {
        let found = store.mention_counts(user, &[&key, "g:0"]).await.unwrap();
        assert!(found.len() <= 1);
        found.get(&key).copied()
    };
    assert_eq!(count(b).await, Some(3), "others', behind the joining, near");
    assert_eq!(count(a).await, Some(1));
    let mark = ReadMark {
        conversation: &key,
        user_id: b,
        upto: 5,
    };
    store.mark_read(&[mark]).await.unwrap();
    assert_eq!(count(b).await, Some(1));
    let mut tx = store.begin().await.unwrap();
    tx.delete_mentions((&key, 6), &[b, EVERYBODY])
        .await
        .unwrap();
    tx.delete_mentions((&key, 7), &[]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(count(b).await, None, "where there is none, there is no row");
    assert_eq!(count(a).await, Some(1));
    assert!(store.mention_counts(a, &[]).await.unwrap().is_empty());

    let found = store
        .messages(&[base + 1, base + 2, base + 3])
        .await
        .unwrap();
    let found: Vec<_> = found.iter().map(|message| message.id).collect();
    assert_eq!(found, [base + 2], "a joining is no message");
    assert!(store.messages(&[]).await.unwrap().is_empty());
    let sent = async |sender, msg_id: &str| store.message_sent(&key, sender, msg_id).await.unwrap();
    let hash = lingxi_domain::content_hash("text");
    assert_eq!(sent(a, "mine").await, Some((base + 2, 2, Some(hash))));
    assert_eq!(sent(b, "mine").await, None);
    assert_eq!(sent(a, "MINE").await, None);
}
