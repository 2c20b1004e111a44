//! How many groups a user may be in, and who comes back.

use futures_util::future::join_all;
use serde_json::json;

use crate::harness::Mode;

behaviours!(
    a_kicked_member_needs_an_invitation,
    a_user_is_in_a_thousand_groups_at_most,
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
