//! How many groups a user may be in, and who comes back.

use futures_util::future::join_all;
use serde_json::json;

use crate::harness::Mode;

behaviours!(
    a_kicked_member_needs_an_invitation,
    a_user_is_in_a_thousand_groups_at_most,
    users_choose_who_may_invite_them,
);

async fn a_kicked_member_needs_an_invitation(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let group = alice.create_group("g").await;
    bob.join(group).await.ok();
    alice.kick(group, "bob").await.ok();
    let message = bob.join(group).await.fails(403, "forbidden").to_owned();
    assert!(message.contains("invite"), "{message}");
    alice.invite(group, "bob").await.ok();
    // Who leaves by themselves may come back.
    let leave = json!({"group_id": group});
    bob.post("group/leave", leave).await.ok();
    bob.join(group).await.ok();
}

async fn a_user_is_in_a_thousand_groups_at_most(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user_at(0, "alice").await, lx.user_at(0, "bob").await);
    for _ in 0..5 {
        join_all((0..199).map(|_| bob.create_group("g"))).await;
    }
    let mut others = Vec::new();
    for _ in 0..12 {
        others.push(alice.create_group("other").await);
    }
    // By themselves and by others, at once.
    let joins = others.iter().enumerate().map(|(number, &group)| {
        let (alice, bob) = (&alice, &bob);
        async move {
            if number % 2 == 0 {
                bob.join(group).await
            } else {
                alice.invite(group, "bob").await
            }
        }
    });
    let replies = join_all(joins).await;
    let joined = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(joined, 5, "{replies:?}");
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        reply.fails(409, "too_many_groups");
    }
    bob.post("group/create", json!({"name": "one more"}))
        .await
        .fails(409, "too_many_groups");
}

async fn users_choose_who_may_invite_them(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let choose = async |body: serde_json::Value| {
        let request = bob.rest.request(reqwest::Method::PUT, "user/settings");
        bob.rest.send(request.json(&body)).await
    };
    for body in [
        json!({}),
        json!({"who_may_invite": "me"}),
        json!({"who_may_invite": 1}),
    ] {
        choose(body).await.blames("who_may_invite");
    }
    for (who, added) in [("nobody", false), ("contacts", false), ("everyone", true)] {
        let chosen = choose(json!({"who_may_invite": who})).await.ok();
        assert_eq!(chosen, json!({"who_may_invite": who}));
        let group = alice.create_group("g").await;
        let invited = alice.invite(group, "bob").await;
        if added {
            invited.ok();
        } else {
            invited.fails(403, "forbidden");
        }
    }
    choose(json!({"who_may_invite": "contacts"})).await.ok();
    bob.post("contact/add", json!({"username": "alice"}))
        .await
        .ok();
    let group = alice.create_group("g").await;
    alice.invite(group, "bob").await.ok();
}
