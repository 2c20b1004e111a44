//! Who is in a group, and what has changed since.

use lingxi_domain::now_ms;
use lingxi_domain::role::GroupRole;

use crate::{ConversationHead, EntryKind, NewEntry, Store};

const KEY: &str = "g:987654100";

/// One change of membership, as `im` commits it.
async fn change(store: &Store, seq: i64, user: i64, kind: EntryKind) {
    let mut tx = store.begin().await.unwrap();
    let entry = NewEntry {
        id: 987_654_100 << 12 | seq,
        conversation: KEY,
        seq,
        kind,
        sender_id: user,
        target: Some(user),
        created_at: now_ms(),
        ..NewEntry::default()
    };
    tx.insert_entries(&[entry]).await.unwrap();
    match kind {
        EntryKind::Joined => tx
            .add_members(KEY, &[(user, GroupRole::Member)], seq, now_ms())
            .await
            .unwrap(),
        _ => tx.end_membership(KEY, user, seq).await.unwrap(),
    }
    let head = ConversationHead {
        version: seq,
        last_seq: seq,
        ..ConversationHead::new(KEY, now_ms())
    };
    tx.put_heads(&[head]).await.unwrap();
    tx.commit().await.unwrap();
}

pub(super) async fn run(store: &Store) {
    assert_eq!(store.rosters(&[KEY]).await.unwrap(), []);
    change(store, 1, 12, EntryKind::Joined).await;
    change(store, 2, 11, EntryKind::Joined).await;
    let rosters = store.rosters(&[KEY, "g:987654101"]).await.unwrap();
    assert_eq!(rosters.len(), 1, "{rosters:?}");
    assert_eq!((rosters[0].version, rosters[0].last_seq), (2, 2));
    assert_eq!(rosters[0].members, [(11, 0), (12, 0)]);

    change(store, 3, 12, EntryKind::Left).await;
    change(store, 4, 13, EntryKind::Joined).await;
    let mut tx = store.begin().await.unwrap();
    let changes = tx.membership_changes(KEY, (2, 4), 9).await.unwrap();
    assert_eq!(changes, [12, 13]);
    assert_eq!(
        tx.membership_changes(KEY, (0, 4), 3).await.unwrap().len(),
        3
    );
    let present = tx.present_among(KEY, &[12, 13, 99]).await.unwrap();
    assert_eq!(present, [(13, 0)]);
    let rosters = tx.rosters(&[KEY]).await.unwrap();
    assert_eq!(rosters[0].members, [(11, 0), (13, 0)]);
    drop(tx);

    change(store, 5, 11, EntryKind::Left).await;
    change(store, 6, 13, EntryKind::Left).await;
    let rosters = store.rosters(&[KEY]).await.unwrap();
    assert_eq!((rosters[0].version, rosters[0].members.len()), (6, 0));
}
