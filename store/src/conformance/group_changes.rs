//! What changes about groups and their members, and their end.

use lingxi_domain::now_ms;
use lingxi_domain::policies::{InvitePolicy, JoinPolicy};
use lingxi_domain::role::GroupRole;

use super::user;
use crate::sql::args;
use crate::{ConversationHead, EntryKind, GroupSettings, NewEntry, NewGroup, Store};

pub(super) async fn run(store: &Store) {
    let owner = user(store, "cf.gc.owner").await;
    let member = user(store, "cf.gc.member").await;
    let mut tx = store.begin().await.unwrap();
    let new = NewGroup {
        name: "Gc Old",
        owner_id: owner,
        announcement: "",
        max_count: 5,
        created_at: now_ms(),
    };
    let id = tx.create_group(&new).await.unwrap();
    let key = format!("g:{id}");
    let mut head = ConversationHead::new(key.clone(), now_ms());
    let both = [(owner, GroupRole::Owner), (member, GroupRole::Member)];
    tx.put_heads(std::slice::from_ref(&head)).await.unwrap();
    tx.add_members(&key, &both, 1, 1).await.unwrap();
    tx.commit().await.unwrap();

    let before = GroupSettings {
        name: "Gc Old".into(),
        announcement: String::new(),
        max_count: 5,
        join_policy: JoinPolicy::Open,
        invite_policy: InvitePolicy::Members,
    };
    let now = GroupSettings {
        name: "Gc New".into(),
        announcement: "be kind".into(),
        max_count: 9,
        join_policy: JoinPolicy::Approval,
        invite_policy: InvitePolicy::Admins,
    };
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.group_settings(id).await.unwrap(), Some(before.clone()));
    assert_eq!(tx.group_settings(-1).await.unwrap(), None);
    tx.put_group_settings(id, &before, &now).await.unwrap();
    assert_eq!(tx.group_settings(id).await.unwrap(), Some(now));
    // Entries about a member have the member's name, those about a group have none, and each says what it says.
    for (seq, kind, target) in [
        (1, EntryKind::MemberUpdated, Some(member)),
        (2, EntryKind::GroupUpdated, Some(member)),
        (3, EntryKind::Dismissed, None),
    ] {
        let detail = format!("{{\"n\":{seq}}}");
        let entry = NewEntry {
            id: (1 << 40) + id * 8 + seq,
            conversation: &key,
            seq,
            kind,
            sender_id: owner,
            target,
            detail: Some(&detail).filter(|_| seq < 3).map(String::as_str),
            created_at: now_ms(),
            ..NewEntry::default()
        };
        tx.insert_entries(&[entry]).await.unwrap();
    }
    head.last_seq = 3;
    tx.put_heads(&[head]).await.unwrap();
    let changed = tx.membership_changes(&key, (0, 3), 10).await.unwrap();
    assert_eq!(changed, [member], "of a role or a mute; of the group, not");
    tx.set_member_role(&key, member, GroupRole::Owner)
        .await
        .unwrap();
    tx.set_member_role(&key, owner, GroupRole::Admin)
        .await
        .unwrap();
    tx.set_muted_until(&key, owner, 77).await.unwrap();
    tx.set_owner(id, member).await.unwrap();
    tx.commit().await.unwrap();

    let log = store.entries_of_many(&[(&key, 1, 3)]).await.unwrap();
    let log: Vec<_> = log
        .iter()
        .map(|entry| {
            (
                entry.kind,
                entry.target_name.as_deref(),
                entry.detail.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        log,
        [
            (
                EntryKind::MemberUpdated,
                Some("cf.gc.member"),
                Some("{\"n\":1}")
            ),
            (EntryKind::GroupUpdated, None, Some("{\"n\":2}")),
            (EntryKind::Dismissed, None, None),
        ]
    );
    let group = store.group(id, member).await.unwrap().unwrap();
    assert_eq!(
        (group.owner.as_str(), group.role, group.join_policy),
        ("cf.gc.member", Some(GroupRole::Owner), JoinPolicy::Approval)
    );
    assert_eq!(group.invite_policy, InvitePolicy::Admins);
    let one = store.group_member(&key, owner).await.unwrap().unwrap();
    assert_eq!((one.role, one.muted_until), (GroupRole::Admin, 77));
    let all = store.group_members(&key).await.unwrap();
    let order: Vec<_> = all.iter().map(|member| member.user_id).collect();
    assert_eq!(order, [member, owner]);
    assert!(store.group_member(&key, -1).await.unwrap().is_none());
    let found = async |keyword: &str| {
        let page = store.search_groups(keyword, None, owner, None, 10).await;
        page.unwrap().rows.iter().filter(|g| g.id == id).count()
    };
    assert_eq!((found("gc new").await, found("gc old").await), (1, 0));

    let mut tx = store.begin().await.unwrap();
    tx.put_join_request(id, owner, 1).await.unwrap();
    tx.end_memberships(&key, 3).await.unwrap();
    tx.dismiss_group(id, "Gc New", 5).await.unwrap();
    assert_eq!(tx.group_settings(id).await.unwrap(), None);
    assert_eq!(tx.count_join_requests(id, 5).await.unwrap(), 0);
    assert_eq!(tx.count_present_members(&key).await.unwrap(), 0);
    tx.commit().await.unwrap();
    assert_eq!(found("gc new").await, 0);
    assert!(store.group(id, owner).await.unwrap().is_none());
    let kept = store.member(&key, owner).await.unwrap().unwrap();
    assert_eq!((kept.joined_seq, kept.left_seq), (1, Some(3)));
    // No part is left that nothing leads to.
    let sql = "SELECT COUNT(*) FROM name_parts WHERE kind = 2 AND id = ?";
    let mut conn = store.db.begin().await.unwrap();
    let row = conn.fetch_one(sql, args![id]).await.unwrap();
    conn.commit().await.unwrap();
    assert_eq!(row.unwrap().int(0).unwrap(), 0);
}
