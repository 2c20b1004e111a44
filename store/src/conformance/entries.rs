//! The log of a conversation.

use lingxi_domain::role::GroupRole;
use lingxi_domain::{content_hash, message_id, now_ms};

use super::user;
use crate::{ConversationHead, EntryKind, Error, NewEntry, Store};

pub(super) fn message<'a>(
    id: i64,
    conversation: &'a str,
    seq: i64,
    sender_id: i64,
    msg_id: &'a str,
) -> NewEntry<'a> {
    NewEntry {
        id,
        conversation,
        seq,
        kind: EntryKind::Message,
        sender_id,
        msg_id: Some(msg_id),
        content: "灵犀 😀 𠮷 'quoted' \\ %_",
        created_at: now_ms(),
        ..NewEntry::default()
    }
}

pub(super) async fn run(store: &Store) {
    let alice = user(store, "conformance.alice").await;
    let bob = user(store, "conformance.bob").await;
    let key = format!("d:{alice}:{bob}");
    let mut tx = store.begin().await.unwrap();
    assert!(tx.lock_conversations(&[&key]).await.unwrap().is_empty());
    let ids: Vec<String> = (0..150).map(|n| format!("m{n}")).collect();
    let mut last = 0;
    let new: Vec<NewEntry<'_>> = ids
        .iter()
        .zip(1..)
        .map(|(msg_id, seq)| {
            last = message_id::next_owned(last, 9);
            message(last, &key, seq, alice, msg_id)
        })
        .collect();
    tx.insert_entries(&new).await.unwrap();
    let head = ConversationHead {
        last_seq: 150,
        message_seq: 150,
        ..ConversationHead::new(key.clone(), now_ms())
    };
    tx.put_heads(std::slice::from_ref(&head)).await.unwrap();
    tx.add_direct_members(&[(&key, alice), (&key, bob)], now_ms())
        .await
        .unwrap();
    assert!(
        store.conversation(&key).await.unwrap().is_none(),
        "nothing is seen before the commit"
    );
    tx.commit().await.unwrap();
    assert_eq!(store.conversation(&key).await.unwrap(), Some(head));

    let mut tx = store.begin().await.unwrap();
    let keys = [
        (key.as_str(), alice, "m3"),
        (key.as_str(), bob, "m3"),
        (key.as_str(), alice, "new"),
    ];
    let repeats = tx.find_repeats(&keys).await.unwrap();
    assert_eq!(
        repeats.len(),
        1,
        "the same msg_id of another sender is another message"
    );
    assert_eq!((repeats[0].id, repeats[0].seq), (new[3].id, 4));
    let first = Some(content_hash(new[3].content));
    assert_eq!(repeats[0].content, first);
    tx.mark_recalled(new[3].id, now_ms()).await.unwrap();
    let repeats = tx.find_repeats(&keys).await.unwrap();
    assert_eq!(repeats[0].content, first, "also when it was recalled");
    let many: Vec<_> = ids
        .iter()
        .map(|id| (key.as_str(), alice, id.as_str()))
        .collect();
    assert_eq!(tx.find_repeats(&many).await.unwrap().len(), 150);
    let twice = tx
        .insert_entries(&[message(last + 1, &key, 151, alice, "m3")])
        .await;
    assert!(
        matches!(twice, Err(Error::Constraint("entries_msg_id"))),
        "{twice:?}"
    );
    drop(tx);
    let mut tx = store.begin().await.unwrap();
    let taken = tx
        .insert_entries(&[message(last + 1, &key, 150, alice, "x")])
        .await;
    assert!(
        matches!(taken, Err(Error::Constraint("entries_seq"))),
        "{taken:?}"
    );
    drop(tx);
    let mut tx = store.begin().await.unwrap();
    let taken = tx
        .insert_entries(&[message(last, &key, 151, alice, "x")])
        .await;
    assert!(
        matches!(taken, Err(Error::Constraint("entries_id"))),
        "{taken:?}"
    );
    drop(tx);

    let page = store
        .history_page(
            &key,
            (5, 200),
            crate::Bounds {
                rows: 3,
                bytes: usize::MAX,
            },
            true,
            false,
        )
        .await
        .unwrap()
        .entries;
    assert_eq!(page.iter().map(|e| e.seq).collect::<Vec<_>>(), [5, 6, 7]);
    assert_eq!(
        (page[0].content.as_str(), page[0].sender.as_str()),
        (new[0].content, "conformance.alice")
    );
    let newest = store
        .history_page(
            &key,
            (1, 100),
            crate::Bounds {
                rows: 2,
                bytes: usize::MAX,
            },
            false,
            true,
        )
        .await
        .unwrap()
        .entries;
    assert_eq!(
        newest.iter().map(|e| e.seq).collect::<Vec<_>>(),
        [99, 100],
        "the newest page, oldest first"
    );
    let many = store
        .entries_of_many(&[(&key, 1, 2), ("g:0", 1, 9), (&key, 149, 300)])
        .await
        .unwrap();
    assert_eq!(
        many.iter().map(|e| e.seq).collect::<Vec<_>>(),
        [1, 2, 149, 150]
    );
    let oldest = store
        .history_page(
            &key,
            (3, 100),
            crate::Bounds {
                rows: 2,
                bytes: usize::MAX,
            },
            true,
            false,
        )
        .await
        .unwrap()
        .entries;
    assert_eq!(oldest.iter().map(|e| e.seq).collect::<Vec<_>>(), [3, 4]);
    let long = store
        .entries_of_many(&[(&key, 100, i64::MAX), (&key, 9, 8)])
        .await
        .unwrap();
    assert_eq!(
        long.len(),
        51,
        "also a range without an end, and one that is empty"
    );
    let ranges: Vec<_> = (1..=150).map(|seq| (key.as_str(), seq, seq)).collect();
    assert_eq!(store.entries_of_many(&ranges).await.unwrap().len(), 150);
    let pushed = store
        .entries_after_id(9, new[147].id, last, 10)
        .await
        .unwrap();
    assert_eq!(pushed.iter().map(|e| e.seq).collect::<Vec<_>>(), [149, 150]);
    assert!(
        store
            .entries_after_id(8, 0, last, 10)
            .await
            .unwrap()
            .is_empty(),
        "other partitions are left out"
    );

    let mut tx = store.begin().await.unwrap();
    assert!(tx.mark_recalled(new[1].id, 5).await.unwrap());
    assert!(!tx.mark_recalled(new[1].id, 6).await.unwrap(), "once");
    tx.commit().await.unwrap();
    let recalled = store.entry(new[1].id).await.unwrap().unwrap();
    assert_eq!(
        (recalled.content.as_str(), recalled.recalled_at),
        ("", Some(5))
    );

    odd_ids(store, bob).await;
    members(store, alice, bob).await;
    visible(store, alice, bob).await;
    pages(store).await;
}

/// A client may choose any 64 bytes: each is a message of its own.
async fn odd_ids(store: &Store, sender: i64) {
    let key = "g:987654322";
    let odd = ["a", "a ", "A", "á", "a\u{0}", "\"\\😀", "  "];
    let mut tx = store.begin().await.unwrap();
    let mut last = 0;
    let new: Vec<NewEntry<'_>> = odd
        .iter()
        .zip(1..)
        .map(|(msg_id, seq)| {
            last = message_id::next_owned(last, 11);
            message(last, key, seq, sender, msg_id)
        })
        .collect();
    tx.insert_entries(&new).await.unwrap();
    let mut keys: Vec<_> = odd.iter().map(|id| (key, sender, *id)).collect();
    keys.push((key, sender, "a  "));
    let mut found = tx.find_repeats(&keys).await.unwrap();
    found.sort_unstable_by_key(|r| r.seq);
    let ids: Vec<&str> = found.iter().map(|r| r.msg_id.as_str()).collect();
    assert_eq!(ids, odd);
    tx.commit().await.unwrap();
}

async fn pages(store: &Store) {
    let erin = user(store, "conformance.erin").await;
    let keys: Vec<String> = (0..5).map(|n| format!("g:98765432{n}0")).collect();
    let mut tx = store.begin().await.unwrap();
    for (key, last_time) in keys.iter().zip([30, 20, 20, 20, 10]) {
        let head = ConversationHead {
            last_seq: 1,
            ..ConversationHead::new(key.clone(), last_time)
        };
        tx.put_heads(&[head]).await.unwrap();
        tx.add_members(key, &[(erin, GroupRole::Member)], 1, 1)
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    let page = async |before, limit| {
        let rows = store.conversations_of(erin, before, limit).await.unwrap();
        rows.into_iter().map(|r| r.conversation).collect::<Vec<_>>()
    };
    assert_eq!(
        page(i64::MAX, 2).await,
        keys[..4],
        "the page ends behind those of the same time"
    );
    assert_eq!(page(20, 2).await, keys[4..], "and the next one misses none");
    assert_eq!(page(i64::MAX, 1).await, keys[..1]);
}

async fn members(store: &Store, alice: i64, bob: i64) {
    let key = "g:987654321";
    let mut tx = store.begin().await.unwrap();
    tx.add_members(
        key,
        &[(alice, GroupRole::Owner), (bob, GroupRole::Member)],
        5,
        1,
    )
    .await
    .unwrap();
    tx.end_membership(key, bob, 9).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.active_member_ids(key).await.unwrap(), [alice]);
    assert_eq!(store.receivers_of(key, 5).await.unwrap(), [alice]);
    let before = store.receivers_of(key, 4).await.unwrap();
    assert!(
        before.is_empty(),
        "what was before they joined is not theirs"
    );
    let former = store.member(key, bob).await.unwrap().unwrap();
    assert_eq!(
        (former.joined_seq, former.left_seq, former.delivered_seq),
        (5, Some(9), 4)
    );
    let mut tx = store.begin().await.unwrap();
    tx.add_members(key, &[(bob, GroupRole::Member)], 20, 2)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let back = store.member(key, bob).await.unwrap().unwrap();
    assert_eq!(
        (
            back.joined_seq,
            back.left_seq,
            back.delivered_seq,
            back.read_seq
        ),
        (20, None, 19, 19)
    );
}

/// What one may see of many conversations: each in its own way, more than one statement may name, and none of others.
async fn visible(store: &Store, alice: i64, bob: i64) {
    let keys: Vec<String> = (0..200).map(|n| format!("g:97654{n:03}")).collect();
    let mut tx = store.begin().await.unwrap();
    let heads: Vec<_> = (1..)
        .zip(&keys)
        .map(|(last_seq, key)| ConversationHead {
            last_seq,
            ..ConversationHead::new(key.clone(), 1)
        })
        .collect();
    tx.put_heads(&heads).await.unwrap();
    for key in &keys[..190] {
        let both = [(alice, GroupRole::Owner), (bob, GroupRole::Member)];
        tx.add_members(key, &both, 3, 1).await.unwrap();
    }
    tx.end_membership(&keys[150], alice, 100).await.unwrap();
    tx.add_members("g:976540", &[(alice, GroupRole::Owner)], 1, 1)
        .await
        .unwrap();
    tx.commit().await.unwrap();

    let mut asked: Vec<&str> = keys.iter().map(String::as_str).collect();
    asked.extend(["g:976540", "g:976541"]);
    let found = store.visible_to(alice, &asked).await.unwrap();
    let of = |at: usize| found.get(&keys[at]).copied();
    assert_eq!(found.len(), 190, "no stranger's, and none without a head");
    assert_eq!(of(99), Some((3, 100, false)));
    assert_eq!(of(150), Some((3, 100, true)), "a former member's end");
    assert_eq!(of(0), Some((3, 1, false)), "nothing yet");
    assert_eq!(of(190), None);
    let of_bob = store.visible_to(bob, &asked[150..151]).await.unwrap();
    assert_eq!(
        of_bob[&keys[150]],
        (3, 151, false),
        "each member has its own"
    );
    assert!(store.visible_to(alice, &[]).await.unwrap().is_empty());
    assert!(store.visible_to(-1, &asked).await.unwrap().is_empty());
    assert!(store.entries_of_many(&[]).await.unwrap().is_empty());
}
