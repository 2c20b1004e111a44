//! Groups: who may do what, and what they answer.

use serde_json::{Value, json};

use crate::harness::{Mode, User};

behaviours!(
    a_group_is_made_and_shown,
    people_join_and_leave,
    members_invite,
    owners_kick,
    strangers_see_nothing,
    a_full_group_is_full,
    groups_are_found,
);

async fn members(user: &User, group: u64) -> Vec<(String, String)> {
    let reply = user
        .get(&format!("group/members?group_id={group}"))
        .await
        .ok();
    let members = reply["members"].as_array().expect("members");
    let text = |member: &Value, field: &str| member[field].as_str().expect("text").to_owned();
    let mut pairs: Vec<_> = members
        .iter()
        .map(|member| (text(member, "username"), text(member, "role")))
        .collect();
    pairs.sort();
    pairs
}

async fn leave(user: &User, group: u64) -> crate::harness::Reply {
    user.post("group/leave", json!({"group_id": group})).await
}

async fn a_group_is_made_and_shown(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let body = json!({"name": "Go学习小组", "announcement": "be kind"});
    let made = alice.post("group/create", body).await.ok();
    let id = made["id"].as_u64().expect("an id");
    assert!(id > 0 && id < 1 << 53);
    assert_eq!(made["name"], "Go学习小组");
    assert_eq!(made["max_count"], 200);
    assert!(made["conversation"].is_string());

    let mine = alice.get("group/mygroups").await.ok();
    assert_eq!(mine["groups"].as_array().map(Vec::len), Some(1));
    let info = alice.get(&format!("group/info?group_id={id}")).await.ok();
    for group in [&mine["groups"][0], &info] {
        assert_eq!(group["id"], id);
        assert_eq!(group["name"], "Go学习小组");
        assert_eq!(group["owner"], "alice");
        assert_eq!(group["announcement"], "be kind");
        assert_eq!(group["member_count"], 1);
        assert_eq!(group["role"], "owner");
        assert_eq!(group["conversation"], made["conversation"]);
    }
    assert_eq!(
        members(&alice, id).await,
        [("alice".into(), "owner".into())]
    );
}

async fn people_join_and_leave(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let group = alice.create_group("g").await;
    let joined = bob.join(group).await.ok();
    assert_eq!(joined["message"], "group joined");
    assert!(joined["conversation"].is_string());
    assert_eq!(
        members(&bob, group).await,
        [
            ("alice".into(), "owner".into()),
            ("bob".into(), "member".into())
        ]
    );
    bob.join(group).await.fails(409, "already_member");

    assert_eq!(leave(&bob, group).await.ok()["message"], "group left");
    assert_eq!(members(&alice, group).await.len(), 1);
    leave(&bob, group).await.fails(403, "not_member");
    // The owner would leave a group without an owner.
    leave(&alice, group).await.fails(403, "forbidden");
    assert_eq!(members(&alice, group).await.len(), 1);
    // Who left may come back.
    bob.join(group).await.ok();
    assert_eq!(members(&bob, group).await.len(), 2);
    bob.join(999_999).await.fails(404, "group_not_found");
    leave(&bob, 999_999).await.fails(404, "group_not_found");
}

async fn members_invite(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob, carol) = lx.three().await;
    let group = alice.create_group("g").await;
    carol.invite(group, "bob").await.fails(403, "not_member");
    assert_eq!(
        alice.invite(group, "BOB").await.ok()["message"],
        "member invited"
    );
    bob.invite(group, "carol").await.ok();
    assert_eq!(members(&carol, group).await.len(), 3);
    alice
        .invite(group, "bob")
        .await
        .fails(409, "already_member");
    alice
        .invite(group, "nobody")
        .await
        .fails(404, "user_not_found");
    alice
        .invite(999_999, "bob")
        .await
        .fails(404, "group_not_found");
}

async fn owners_kick(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob, carol) = lx.three().await;
    let group = alice.create_group("g").await;
    bob.join(group).await.ok();
    carol.join(group).await.ok();
    bob.kick(group, "carol").await.fails(403, "forbidden");
    bob.kick(group, "alice").await.fails(403, "forbidden");
    assert_eq!(members(&alice, group).await.len(), 3);
    assert_eq!(
        alice.kick(group, "carol").await.ok()["message"],
        "member kicked"
    );
    assert_eq!(members(&alice, group).await.len(), 2);
    alice
        .kick(group, "nobody")
        .await
        .fails(404, "user_not_found");
    assert_eq!(carol.kick(group, "bob").await.status, 403);
    assert_eq!(carol.get("group/mygroups").await.ok()["groups"], json!([]));
}

async fn strangers_see_nothing(mode: Mode) {
    let lx = mode.start().await;
    let (alice, eve) = (lx.user("alice").await, lx.user("eve").await);
    let group = alice.create_group("secret").await;
    let mut ws = alice.connect().await;
    ws.say_in(group, "m1", "for members").await;
    ws.stored("m1").await;
    eve.get(&format!("group/members?group_id={group}"))
        .await
        .fails(403, "not_member");
    eve.get(&format!("message/history?group_id={group}"))
        .await
        .fails(403, "not_member");
    eve.get(&format!("message/history?group_id={group}&entries=all"))
        .await
        .fails(403, "not_member");
    eve.post("message/read", json!({"group_id": group}))
        .await
        .fails(403, "not_member");
    let anonymous = lx.anonymous();
    anonymous
        .get(&format!("group/members?group_id={group}"))
        .await
        .fails(401, "unauthorized");
    anonymous
        .get(&format!("message/history?group_id={group}"))
        .await
        .fails(401, "unauthorized");
}

async fn a_full_group_is_full(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob, carol) = lx.three().await;
    let body = json!({"name": "pair", "max_count": 2});
    let group = alice.post("group/create", body).await.ok()["id"]
        .as_u64()
        .expect("an id");
    // Both at once: one gets the last place.
    let (one, two) = tokio::join!(bob.join(group), carol.join(group));
    let (winner, loser) = if one.status == 200 {
        (one, two)
    } else {
        (two, one)
    };
    winner.ok();
    loser.fails(409, "group_full");
    assert_eq!(members(&alice, group).await.len(), 2);
    let out = if members(&alice, group)
        .await
        .iter()
        .any(|(name, _)| name == "bob")
    {
        "carol"
    } else {
        "bob"
    };
    alice.invite(group, out).await.fails(409, "group_full");
}

async fn groups_are_found(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let group = alice.create_group("Rustaceans").await;
    alice.create_group("Gophers").await;
    for keyword in ["rust".to_owned(), group.to_string()] {
        let found = bob
            .get(&format!("group/search?keyword={keyword}"))
            .await
            .ok();
        let groups = found["groups"].as_array().expect("groups");
        let row = groups.iter().find(|row| row["id"] == group);
        let row = row.unwrap_or_else(|| panic!("{keyword}: {found}"));
        assert_eq!(row["name"], "Rustaceans");
        assert!(
            row.get("role").is_none_or(Value::is_null),
            "bob is not in it: {row}"
        );
    }
    let found = bob.get("group/search?keyword=rust").await.ok();
    assert_eq!(found["groups"].as_array().map(Vec::len), Some(1));
}
