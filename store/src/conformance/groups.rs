//! Contacts and groups.

use lingxi_domain::now_ms;
use lingxi_domain::role::GroupRole;

use super::user;
use crate::{ConversationHead, NewGroup, Store};

pub(super) async fn run(store: &Store) {
    contacts(store).await;
    groups(store).await;
}

async fn contacts(store: &Store) {
    let me = user(store, "conformance.keeper").await;
    let (b, a) = (user(store, "cf.c2").await, user(store, "cf.c1").await);
    let mut tx = store.begin().await.unwrap();
    tx.put_contact(me, b, None, 1).await.unwrap();
    tx.put_contact(me, a, Some("老友 😀 "), 1).await.unwrap();
    tx.put_contact(me, a, None, 2).await.unwrap();
    tx.commit().await.unwrap();
    let remarks = async || {
        let list = store.contacts(me).await.unwrap();
        list.into_iter()
            .map(|c| (c.user_id, c.remark))
            .collect::<Vec<_>>()
    };
    let kept = "老友 😀 ".to_owned();
    assert_eq!(
        remarks().await,
        [(a, kept), (b, String::new())],
        "by name; a remark stays"
    );
    let mut tx = store.begin().await.unwrap();
    tx.put_contact(me, a, Some("new"), 3).await.unwrap();
    assert!(tx.delete_contact(me, b).await.unwrap());
    assert!(!tx.delete_contact(me, b).await.unwrap(), "once");
    tx.commit().await.unwrap();
    assert_eq!(remarks().await, [(a, "new".to_owned())]);
    assert!(store.contacts(a).await.unwrap().is_empty(), "one side only");
}

async fn groups(store: &Store) {
    let owner = user(store, "cf.owner").await;
    let member = user(store, "cf.member").await;
    let mut ids = Vec::new();
    for name in ["Cf Tea 😀", "cf TEA", "cf téa"] {
        let mut tx = store.begin().await.unwrap();
        let new = NewGroup {
            name,
            owner_id: owner,
            announcement: "",
            max_count: 5,
            created_at: now_ms(),
        };
        let id = tx.create_group(&new).await.unwrap();
        assert!(ids.iter().all(|&before| id > before), "ids rise");
        let key = format!("g:{id}");
        let head = ConversationHead::new(key.clone(), now_ms());
        tx.put_heads(&[head]).await.unwrap();
        tx.add_members(&key, &[(owner, GroupRole::Owner)], 1, 1)
            .await
            .unwrap();
        assert_eq!(
            tx.group_settings(id)
                .await
                .unwrap()
                .map(|group| group.max_count),
            Some(5)
        );
        tx.commit().await.unwrap();
        ids.push(id);
    }
    let key = format!("g:{}", ids[0]);
    let mut tx = store.begin().await.unwrap();
    tx.add_members(&key, &[(member, GroupRole::Member)], 1, 2)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let seen = store.group(ids[0], member).await.unwrap().unwrap();
    assert_eq!(
        (
            seen.name.as_str(),
            seen.owner.as_str(),
            seen.member_count,
            seen.role
        ),
        ("Cf Tea 😀", "cf.owner", 2, Some(GroupRole::Member))
    );
    let other = store.group(ids[1], member).await.unwrap().unwrap();
    assert_eq!((other.member_count, other.role), (1, None));
    assert!(store.group(-1, member).await.unwrap().is_none());
    let existing = store.existing_groups(&[ids[0], -1]).await.unwrap();
    assert_eq!(existing, [ids[0]].into());
    assert!(store.existing_groups(&[]).await.unwrap().is_empty());
    let of = async |user| {
        let groups = store.groups_of(user).await.unwrap();
        groups.into_iter().map(|g| g.id).collect::<Vec<_>>()
    };
    assert_eq!(of(owner).await, ids);
    assert_eq!(of(member).await, ids[..1]);
    let names: Vec<String> = store
        .group_members(&key)
        .await
        .unwrap()
        .into_iter()
        .map(|m| m.username)
        .collect();
    assert_eq!(names, ["cf.owner", "cf.member"]);
    let found = async |keyword: &str, id, after, limit| {
        let page = store.search_groups(keyword, id, member, after, limit).await;
        let page = page.unwrap();
        let ids: Vec<_> = page.rows.iter().map(|group| group.id).collect();
        (ids, page.has_more)
    };
    let all = found("cf tea", None, None, 10).await;
    assert_eq!(all, (vec![ids[1], ids[0]], false), "by what follows it");
    let (first, more) = found("cf tea", Some(ids[2]), None, 1).await;
    assert_eq!((first, more), (vec![ids[2]], true), "the id first");
    let next = found("cf tea", Some(ids[2]), Some(ids[2]), 1).await;
    assert_eq!(next, (vec![ids[1]], true));
    let last = found("cf tea", Some(ids[2]), Some(ids[1]), 1).await;
    assert_eq!(last, (vec![ids[0]], false));
    let (twice, _) = found("cf tea", Some(ids[0]), None, 10).await;
    assert_eq!(twice, [ids[0], ids[1]], "not once more by its name");
    assert_eq!(found("téa", None, None, 10).await.0, [ids[2]]);
    assert_eq!(found("😀", None, None, 10).await.0, [ids[0]]);
    let group = store
        .search_groups("😀", None, member, None, 1)
        .await
        .unwrap();
    assert_eq!(group.rows[0], seen, "as it is seen by its id");
    let mut named = store.group_names(&[ids[1], -1]).await.unwrap();
    assert_eq!(named.pop(), Some((ids[1], "cf TEA".into())));
}
