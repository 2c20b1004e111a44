//! How many groups there may be, how often members come and go, and who may bring whom.

use std::time::Duration;

use lingxi_domain::invitations::WhoMayInvite;
use lingxi_domain::role::GroupRole;

use super::*;
use crate::Page;

/// A group that has so many more members, of whom nobody is connected.
async fn crowd(w: &World, group: i64, members: i64) {
    let rows: Vec<_> = (0..members)
        .map(|number| (1_000_000 + number, GroupRole::Member))
        .collect();
    let mut tx = w.store.begin().await.unwrap();
    let key = format!("g:{group}");
    let mut head = tx.lock_conversation(&key).await.unwrap().unwrap();
    tx.add_members(&key, &rows, 1, now_ms()).await.unwrap();
    head.version += 1;
    tx.put_heads(&[head]).await.unwrap();
    tx.commit().await.unwrap();
}

pub(super) async fn large_group(w: &World, owner: &Actor, members: i64) -> i64 {
    let new = crate::NewGroup {
        name: "large".into(),
        max_count: Some(5000),
        announcement: None,
    };
    let id = w.im.groups().create(owner, &new).await.unwrap().id;
    crowd(w, id, members).await;
    id
}

#[tokio::test]
async fn nobody_is_in_more_groups_than_they_may() {
    let w = World::with(|config| config.groups_per_user = 5).await;
    let bob = w.user("bob").await;
    let mut groups = Vec::new();
    for owner in 0..3 {
        let owner = w.user(&format!("owner{owner}")).await;
        for _ in 0..4 {
            groups.push((owner.clone(), w.group(&[&owner]).await));
        }
    }
    let joins = groups.iter().map(|(_, id)| {
        let groups = w.im.groups();
        let bob = &bob;
        async move { groups.join(bob, *id).await }
    });
    let joined = futures_util::future::join_all(joins).await;
    assert_eq!(joined.iter().filter(|done| done.is_ok()).count(), 5);
    for done in joined.into_iter().filter(|done| done.is_err()) {
        refused(done, ErrorCode::TooManyGroups);
    }
    let mine = w.im.groups().mine(bob.user_id).await.unwrap();
    assert_eq!(mine.len(), 5);
    let (owner, other) = groups
        .iter()
        .find(|(_, id)| mine.iter().all(|group| group.id != *id))
        .unwrap();
    let invited = w.im.groups().invite(owner, *other, "bob").await;
    refused(invited, ErrorCode::TooManyGroups);
    let new = crate::NewGroup {
        name: "own".into(),
        max_count: None,
        announcement: None,
    };
    let made = w.im.groups().create(&bob, &new).await;
    refused(made, ErrorCode::TooManyGroups);
    w.im.groups().leave(&bob, mine[0].id).await.unwrap();
    w.im.groups().create(&bob, &new).await.unwrap();
}

#[tokio::test]
async fn who_was_kicked_comes_back_by_invitation_only() {
    let w = World::new().await;
    let (alice, bob) = (w.user("alice").await, w.user("bob").await);
    let id = w.group(&[&alice, &bob]).await;
    let groups = w.im.groups();
    groups.kick(&alice, id, "bob").await.unwrap();
    for _ in 0..2 {
        refused(groups.join(&bob, id).await, ErrorCode::Forbidden);
    }
    groups.invite(&alice, id, "bob").await.unwrap();
    refused(groups.join(&bob, id).await, ErrorCode::AlreadyMember);
    // Who left by themselves may come back, also after they were kicked once.
    groups.leave(&bob, id).await.unwrap();
    groups.join(&bob, id).await.unwrap();
    groups.kick(&alice, id, "bob").await.unwrap();
    refused(groups.join(&bob, id).await, ErrorCode::Forbidden);
}

#[tokio::test]
async fn users_choose_who_may_take_them_into_groups() {
    let w = World::new().await;
    let (alice, bob, carol) = (
        w.user("alice").await,
        w.user("bob").await,
        w.user("carol").await,
    );
    let settings = w.im.settings();
    let chosen = settings.who_may_invite(bob.user_id).await.unwrap();
    assert_eq!(chosen, WhoMayInvite::Everyone);
    let invite = async |by: &Actor| {
        let id = w.group(&[by]).await;
        w.im.groups().invite(by, id, "bob").await
    };
    invite(&alice).await.unwrap();
    let choose = async |who| {
        settings.set_who_may_invite(bob.user_id, who).await.unwrap();
        assert_eq!(settings.who_may_invite(bob.user_id).await.unwrap(), who);
    };
    choose(WhoMayInvite::Contacts).await;
    refused(invite(&alice).await, ErrorCode::Forbidden);
    w.im.contacts().add(&alice, "bob", None).await.unwrap();
    let one_sided = invite(&alice).await;
    refused(one_sided, ErrorCode::Forbidden);
    w.im.contacts().add(&bob, "alice", None).await.unwrap();
    invite(&alice).await.unwrap();
    refused(invite(&carol).await, ErrorCode::Forbidden);
    choose(WhoMayInvite::Nobody).await;
    refused(invite(&alice).await, ErrorCode::Forbidden);
    let id = w.group(&[&alice]).await;
    w.im.groups().join(&bob, id).await.unwrap();
    choose(WhoMayInvite::Everyone).await;
    invite(&carol).await.unwrap();
}

#[tokio::test]
async fn coming_and_going_costs_by_the_members_who_are_told() {
    let w = World::with(|config| config.rate_limits = true).await;
    let (alice, bob, carol) = (
        w.user("alice").await,
        w.user("bob").await,
        w.user("carol").await,
    );
    let large = large_group(&w, &alice, 4600).await;
    let small = w.group(&[&alice]).await;
    let groups = w.im.groups();
    // In a small group people come and go as they like.
    for _ in 0..10 {
        groups.join(&carol, small).await.unwrap();
        groups.leave(&carol, small).await.unwrap();
    }
    groups.join(&bob, large).await.unwrap();
    let error = groups.leave(&bob, large).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::RateLimited);
    let wait = error.retry_after().unwrap();
    assert!(wait >= Duration::from_secs(20), "{wait:?}");
}

#[tokio::test]
async fn invitations_are_limited_for_those_who_send_and_those_who_get_them() {
    let w = World::with(|config| {
        config.rate_limits = true;
        config.rates.invitations_per_minute = 4;
    })
    .await;
    let (alice, dave) = (w.user("alice").await, w.user("dave").await);
    let group = w.group(&[&alice, &dave]).await;
    let groups = w.im.groups();
    for name in ["b1", "b2", "b3", "b4", "b5"] {
        w.user(name).await;
    }
    for name in ["b1", "b2", "b3", "b4"] {
        groups.invite(&alice, group, name).await.unwrap();
    }
    let fifth = groups.invite(&alice, group, "b5").await.unwrap_err();
    assert!(fifth.retry_after().is_some());
    groups.invite(&dave, group, "b5").await.unwrap();
    // One who is taken in again and again.
    let victim = w.user("victim").await;
    let mut taken_in = 0;
    for number in 0..6 {
        let other = w.user(&format!("bully{number}")).await;
        let own = w.group(&[&other]).await;
        match groups.invite(&other, own, "victim").await {
            Ok(_) => taken_in += 1,
            Err(error) => assert_eq!(error.code(), ErrorCode::RateLimited),
        }
    }
    assert_eq!(taken_in, 4);
    assert_eq!(groups.mine(victim.user_id).await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_new_group_costs_more_than_a_request() {
    let w = World::with(|config| config.rate_limits = true).await;
    let alice = w.user("alice").await;
    let new = crate::NewGroup {
        name: "g".into(),
        max_count: None,
        announcement: None,
    };
    let mut made = 0;
    while w.im.groups().create(&alice, &new).await.is_ok() {
        made += 1;
        assert!(made < 30, "there is no limit");
    }
    assert!(made >= 6, "{made}");
}

#[tokio::test]
async fn lists_come_in_pages() {
    let w = World::new().await;
    let alice = w.user("alice").await;
    let mut group = 0;
    for number in 0..7 {
        w.user(&format!("u{number}")).await;
        w.im.contacts()
            .add(&alice, &format!("u{number}"), None)
            .await
            .unwrap();
        group = w.group(&[&alice]).await;
    }
    for number in 0..7 {
        w.im.groups()
            .invite(&alice, group, &format!("u{number}"))
            .await
            .unwrap();
    }
    let (mut groups, mut after) = (Vec::new(), None);
    loop {
        let page = Page {
            after,
            limit: Some(3),
        };
        let found = w.im.groups().mine_page(alice.user_id, &page).await.unwrap();
        assert!(found.items.len() <= 3);
        after = found.items.last().map(|group| group.id);
        groups.extend(found.items);
        if !found.has_more {
            break;
        }
    }
    assert_eq!(groups, w.im.groups().mine(alice.user_id).await.unwrap());
    let (mut contacts, mut after) = (Vec::new(), None);
    loop {
        let page = Page {
            after,
            limit: Some(3),
        };
        let found = w.im.contacts().page(alice.user_id, &page).await.unwrap();
        after = found.items.last().map(|contact| contact.username.clone());
        contacts.extend(found.items);
        if !found.has_more {
            break;
        }
    }
    let all = w.im.contacts().list(alice.user_id).await.unwrap();
    assert_eq!((contacts.len(), contacts), (7, all));
    let (mut members, mut after) = (Vec::new(), None);
    loop {
        let page = Page {
            after,
            limit: Some(3),
        };
        let groups = w.im.groups();
        let found = groups.members_page(alice.user_id, group, &page).await;
        let found = found.unwrap();
        after = found.items.last().map(|member| member.username.clone());
        members.extend(found.items);
        if !found.has_more {
            break;
        }
    }
    let all = w.im.groups().members(alice.user_id, group).await.unwrap();
    assert_eq!((members.len(), members), (8, all));
}
