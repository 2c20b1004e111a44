//! What is done about messages: edits, reactions, what groups keep in sight.

use lingxi_domain::now_ms;

use super::{group, user};
use crate::{NewEntry, ReactionCount, Store};

pub(super) async fn run(store: &Store) {
    let a = user(store, "cf.react.a").await;
    let b = user(store, "cf.react.b").await;
    let base = (1 << 41) + a * 64;
    let key = format!("g:{base}");
    group(store, &key, 3, &[(a, 1), (b, 2)]).await;
    let mut tx = store.begin().await.unwrap();
    let texts = ["one", "two", "three"];
    for (seq, text) in (1..).zip(texts) {
        let entry = NewEntry {
            id: base + seq,
            conversation: &key,
            seq,
            sender_id: a,
            msg_id: Some(text),
            content: text,
            created_at: now_ms(),
            ..NewEntry::default()
        };
        tx.insert_entries(&[entry]).await.unwrap();
    }
    let (one, two, three) = (base + 1, base + 2, base + 3);
    for (message, emoji, who, count, seq) in [
        (one, "❤️", a, 1, 4),
        (one, "👍", b, 1, 5),
        (one, "❤️", b, 2, 6),
        (two, "👍", a, 1, 7),
    ] {
        assert!(!tx.has_reacted(message, emoji, who).await.unwrap());
        let how_many = (count, seq);
        tx.add_reaction((message, emoji), who, how_many)
            .await
            .unwrap();
        assert!(tx.has_reacted(message, emoji, who).await.unwrap());
    }
    assert_eq!(tx.reaction_kinds(one, "❤️").await.unwrap(), (2, 2));
    assert_eq!(tx.reaction_kinds(one, "🚀").await.unwrap(), (0, 2));
    assert_eq!(tx.reaction_kinds(three, "👍").await.unwrap(), (0, 0));
    tx.commit().await.unwrap();
    let shown = async |user, message: i64| {
        let mut found = store.reactions(user, &[one, two, three]).await.unwrap();
        found.remove(&message).unwrap_or_default()
    };
    let of = |emoji: &str, count, mine| ReactionCount {
        emoji: emoji.to_owned(),
        count,
        mine,
    };
    assert_eq!(
        shown(a, one).await,
        [of("❤️", 2, true), of("👍", 1, false)],
        "of each the first one first"
    );
    assert_eq!(shown(b, two).await, [of("👍", 1, false)]);
    assert_eq!(shown(a, three).await, []);
    assert!(store.reactions(a, &[]).await.unwrap().is_empty());

    let mut tx = store.begin().await.unwrap();
    tx.remove_reaction((one, "❤️"), a, 1).await.unwrap();
    tx.remove_reaction((one, "👍"), b, 0).await.unwrap();
    for (message, seq) in [(one, 8), (two, 9), (three, 10)] {
        assert!(!tx.pinned(&key, message).await.unwrap().0);
        tx.pin(&key, message, seq).await.unwrap();
    }
    assert_eq!(tx.pinned(&key, two).await.unwrap(), (true, 3));
    assert!(tx.unpin(&key, three).await.unwrap());
    assert!(!tx.unpin(&key, three).await.unwrap());
    assert!(tx.has_later_members(&key, 1).await.unwrap());
    assert!(!tx.has_later_members(&key, 2).await.unwrap());
    assert!(tx.edit_message(two, "zwei", (77, 8)).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(shown(a, one).await, [of("❤️", 1, false)]);
    let pins = async |joined, after, limit| {
        let page = store.pins_page((&key, joined), after, limit).await;
        let rows = page.unwrap().into_iter().flatten();
        rows.map(|entry| entry.id).collect::<Vec<_>>()
    };
    assert_eq!(pins(1, None, 10).await, [two, one]);
    assert_eq!(pins(2, None, 10).await, [two], "from before their joining");
    assert_eq!(pins(1, None, 1).await, [two]);
    assert_eq!(pins(1, Some(two), 10).await, [one]);
    let behind = store.pins_page((&key, 1), Some(three), 10).await.unwrap();
    assert_eq!(behind, None, "it is no longer there");
    let edited = store.entry(two).await.unwrap().unwrap();
    assert_eq!(
        (edited.content.as_str(), edited.edited_at, edited.edited_seq),
        ("zwei", Some(77), Some(8))
    );

    let mut tx = store.begin().await.unwrap();
    assert!(tx.mark_recalled(two, 99).await.unwrap());
    assert!(!tx.edit_message(two, "no", (100, 9)).await.unwrap());
    let emojis = tx.clear_message(&key, two).await.unwrap();
    assert_eq!(emojis, ["👍"]);
    assert!(tx.has_reacted(two, "👍", a).await.unwrap());
    tx.commit().await.unwrap();
    assert_eq!(shown(a, two).await, []);
    store.forget_reactions(two, &emojis).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    assert!(!tx.has_reacted(two, "👍", a).await.unwrap());
    assert!(tx.has_reacted(one, "❤️", b).await.unwrap());
    drop(tx);
    assert_eq!(pins(1, None, 10).await, [one]);
}
