//! What people react, what groups keep in sight, who has read.

use lingxi_domain::now_ms;
use lingxi_domain::role::GroupRole;

use super::user;
use crate::{ConversationHead, NewEntry, ReactionCount, Standing, Store};

pub(super) async fn run(store: &Store) {
    let a = user(store, "cf.react.a").await;
    let b = user(store, "cf.react.b").await;
    let base = (1 << 41) + a * 64;
    let key = format!("g:{base}");
    let mut tx = store.begin().await.unwrap();
    let head = ConversationHead {
        conversation: key.clone(),
        version: 1,
        last_seq: 3,
        message_seq: 3,
        last_time: now_ms(),
        blocked_by: 0,
    };
    tx.put_heads(&[head]).await.unwrap();
    tx.add_members(&key, &[(a, GroupRole::Owner)], 1, 1)
        .await
        .unwrap();
    tx.add_members(&key, &[(b, GroupRole::Member)], 2, 2)
        .await
        .unwrap();
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
    assert!(tx.edit_message(two, "zwei", 77).await.unwrap());
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
        (edited.content.as_str(), edited.edited_at),
        ("zwei", Some(77))
    );
    let contents = store.contents(&[one, two, base]).await.unwrap();
    assert_eq!(
        contents,
        [(one, "one".to_owned()), (two, "zwei".to_owned())].into()
    );

    let mut tx = store.begin().await.unwrap();
    assert!(tx.mark_recalled(two, 99).await.unwrap());
    assert!(!tx.edit_message(two, "no", 100).await.unwrap());
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
    let contents = store.contents(&[two]).await.unwrap();
    assert!(contents.is_empty(), "what was recalled says nothing");

    let mark = |user_id, upto| crate::ReadMark {
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
    assert_eq!(
        readers(1, a).await,
        Vec::<i64>::new(),
        "it was not hers to read"
    );

    assert!(store.set_quiet_until(&key, b, 55).await.unwrap());
    assert!(!store.set_quiet_until(&key, -1, 55).await.unwrap());
    let direct = lingxi_domain::ConversationKey::direct(a, b).to_string();
    let own = lingxi_domain::ConversationKey::direct(a, a).to_string();
    let mut tx = store.begin().await.unwrap();
    for (key, seq) in [(&direct, 5), (&own, 6)] {
        let head = ConversationHead {
            conversation: key.clone(),
            version: 1,
            last_seq: seq,
            message_seq: seq,
            last_time: now_ms(),
            blocked_by: 0,
        };
        tx.put_heads(&[head]).await.unwrap();
    }
    let rows = [
        (direct.as_str(), a),
        (direct.as_str(), b),
        (own.as_str(), a),
    ];
    tx.add_direct_members(&rows, 1).await.unwrap();
    tx.commit().await.unwrap();
    let mark = |conversation, user_id, upto| crate::ReadMark {
        conversation,
        user_id,
        upto,
    };
    let marks = [mark(&direct, b, 4), mark(&own, a, 6)];
    store.mark_read(&marks).await.unwrap();
    let standings = store.standings(a, &[&key, &direct, &own, "g:0"]).await;
    let of = |quiet_until, peer_read_seq| Standing {
        quiet_until,
        peer_read_seq,
    };
    let expected = [
        (key.clone(), of(0, None)),
        (direct.clone(), of(0, Some(4))),
        (own, of(0, Some(6))),
    ];
    assert_eq!(standings.unwrap(), expected.into());
    let standings = store.standings(b, &[&key]).await.unwrap();
    assert_eq!(standings, [(key.clone(), of(55, None))].into());
    assert!(store.standings(b, &[]).await.unwrap().is_empty());
}
