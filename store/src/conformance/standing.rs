//! How users stand in conversations: what they have read, who mentioned them, what they want to hear of.

use lingxi_domain::detail::EVERYBODY;
use lingxi_domain::{ConversationKey, UserId, now_ms};

use super::{group, user};
use crate::{ConversationHead, EntryKind, Mention, NewEntry, ReadMark, Standing, Store};

pub(super) async fn run(store: &Store) {
    let a = user(store, "cf.stand.a").await;
    let b = user(store, "cf.stand.b").await;
    mentions(store, a, b).await;
    readers(store, a, b).await;
    peers(store, a, b).await;
    messages(store, a, b).await;
}

async fn of(store: &Store, user: UserId, key: &str) -> Option<Standing> {
    let found = store.standings(user, &[key, "g:0"]).await.unwrap();
    assert!(found.len() <= 1);
    found.get(key).copied()
}

async fn mentions(store: &Store, a: UserId, b: UserId) {
    let key = format!("g:{}", (1_i64 << 42) + a);
    group(store, &key, 3000, &[(a, 1), (b, 3)]).await;
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
    let mut tx = store.begin().await.unwrap();
    tx.insert_mentions(&mentions).await.unwrap();
    tx.insert_mentions(&[]).await.unwrap();
    tx.commit().await.unwrap();
    let count = async |user| {
        of(store, user, &key)
            .await
            .map(|standing| standing.mentions)
    };
    assert_eq!(count(b).await, Some(3), "others', behind the joining, near");
    assert_eq!(count(a).await, Some(1));
    assert_eq!(count(-1).await, None, "a stranger stands nowhere");
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
    assert_eq!((count(b).await, count(a).await), (Some(0), Some(1)));
    assert!(store.standings(a, &[]).await.unwrap().is_empty());

    assert!(store.set_quiet_until(&key, b, 55).await.unwrap());
    assert!(!store.set_quiet_until(&key, -1, 55).await.unwrap());
    let quiet = async |user| of(store, user, &key).await.unwrap().quiet_until;
    assert_eq!((quiet(a).await, quiet(b).await), (0, 55));
}

async fn readers(store: &Store, a: UserId, b: UserId) {
    let key = format!("g:{}", (1_i64 << 43) + a);
    group(store, &key, 3, &[(a, 1), (b, 2)]).await;
    let mark = |user_id, upto| ReadMark {
        conversation: &key,
        user_id,
        upto,
    };
    store.mark_read(&[mark(a, 3), mark(b, 2)]).await.unwrap();
    let readers = async |seq, sender| {
        let rows = store.readers_of((&key, seq), sender).await.unwrap();
        rows.into_iter().map(|row| row.user_id).collect::<Vec<_>>()
    };
    assert_eq!(readers(2, -1).await, [a, b]);
    assert_eq!(readers(2, a).await, [b]);
    assert_eq!(readers(3, -1).await, [a]);
    assert!(readers(1, a).await.is_empty(), "it was not theirs to read");
}

async fn peers(store: &Store, a: UserId, b: UserId) {
    let both = ConversationKey::direct(a, b).to_string();
    let own = ConversationKey::direct(a, a).to_string();
    let mut tx = store.begin().await.unwrap();
    for (key, seq) in [(&both, 5), (&own, 6)] {
        let head = ConversationHead {
            last_seq: seq,
            message_seq: seq,
            ..ConversationHead::new(key, now_ms())
        };
        tx.put_heads(&[head]).await.unwrap();
    }
    let rows = [(both.as_str(), a), (both.as_str(), b), (own.as_str(), a)];
    tx.add_direct_members(&rows, 1).await.unwrap();
    tx.commit().await.unwrap();
    let mark = |conversation, user_id, upto| ReadMark {
        conversation,
        user_id,
        upto,
    };
    let marks = [mark(&both, b, 4), mark(&own, a, 6)];
    store.mark_read(&marks).await.unwrap();
    let read = async |user, key| of(store, user, key).await.unwrap().peer_read_seq;
    assert_eq!(read(a, &both).await, Some(4));
    assert_eq!(read(b, &both).await, Some(0));
    assert_eq!(read(a, &own).await, Some(6));
    let group = format!("g:{}", (1_i64 << 43) + a);
    assert_eq!(read(a, &group).await, None);

    // A head that is made for a conversation that has not begun does not touch one that has.
    let new = ConversationKey::direct(b, b).to_string();
    let mut tx = store.begin().await.unwrap();
    tx.make_heads(&[&both, &new], 7).await.unwrap();
    tx.make_heads(&[], 7).await.unwrap();
    let heads = tx.lock_conversations(&[&both, &new]).await.unwrap();
    let heads: Vec<_> = heads.iter().map(|h| (h.version, h.last_seq)).collect();
    assert_eq!(heads, [(1, 5), (1, 0)]);
}

async fn messages(store: &Store, a: UserId, b: UserId) {
    let base = (1_i64 << 42) + a * 64;
    let key = format!("g:{base}");
    let mut tx = store.begin().await.unwrap();
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
    let found = store.messages(&[base + 1, base + 2, base + 3]).await;
    let found: Vec<_> = found.unwrap().iter().map(|message| message.id).collect();
    assert_eq!(found, [base + 2], "a joining is no message");
    assert!(store.messages(&[]).await.unwrap().is_empty());
    let sent = async |sender, msg_id| {
        let found = store.find_repeat((&key, sender, msg_id)).await.unwrap();
        found.map(|sent| (sent.id, sent.seq, sent.content))
    };
    let hash = lingxi_domain::content_hash("text");
    assert_eq!(sent(a, "mine").await, Some((base + 2, 2, Some(hash))));
    assert_eq!(sent(b, "mine").await, None);
    assert_eq!(sent(a, "MINE").await, None);
}
