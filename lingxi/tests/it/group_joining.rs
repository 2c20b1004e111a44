//! How one gets into a group: by oneself, by approval, by invitation, by a link.

use lingxi_domain::now_ms;
use serde_json::{Value, json};

use crate::harness::{Deployment, Mode, Reply, User};

behaviours!(
    who_asks_is_let_in_or_not,
    a_group_of_invitations_is_joined_by_them,
    invitations_are_left_to_administrators,
    a_link_leads_in_as_often_as_it_says,
    a_link_is_taken_away,
    a_link_does_not_bring_back_who_was_kicked,
    a_link_is_worth_what_its_maker_may,
    a_full_group_stays_full_under_everything_at_once,
);

async fn group(mode: Mode, rules: Value) -> (Deployment, User, User, User, u64) {
    let lx = mode.start().await;
    let (alice, bob, carol) = lx.three().await;
    let group = alice.create_group("g").await;
    let mut body = rules;
    body["group_id"] = group.into();
    alice.put("group/update", body).await.ok();
    (lx, alice, bob, carol, group)
}

async fn requests(user: &User, group: u64) -> Vec<String> {
    let reply = user
        .get(&format!("group/requests?group_id={group}"))
        .await
        .ok();
    let requests = reply["requests"].as_array().expect("requests");
    requests
        .iter()
        .map(|row| {
            assert!(row["created_at"].is_u64() && row["id"].is_u64(), "{row}");
            row["username"].as_str().expect("a name").to_owned()
        })
        .collect()
}

async fn answer(user: &User, group: u64, name: &str, approve: bool) -> Reply {
    let body = json!({"group_id": group, "username": name, "approve": approve});
    user.post("group/approve", body).await
}

async fn members(user: &User, group: u64) -> u64 {
    let info = user.get(&format!("group/info?group_id={group}")).await.ok();
    info["member_count"].as_u64().expect("a count")
}

async fn link(user: &User, mut body: Value, group: u64) -> String {
    body["group_id"] = group.into();
    let made = user.post("group/invite_link", body).await.ok();
    assert_eq!(made["group_id"], group);
    made["code"].as_str().expect("a code").to_owned()
}

async fn by_link(user: &User, code: &str) -> Reply {
    user.post("group/join", json!({"code": code})).await
}

async fn who_asks_is_let_in_or_not(mode: Mode) {
    let (lx, alice, bob, carol, group) = group(mode, json!({"join_policy": "approval"})).await;
    let dave = lx.user("dave").await;
    alice.invite(group, "dave").await.ok();
    let mut b = bob.connect().await;
    let asked = bob.join(group).await.ok();
    assert_eq!(
        (&asked["state"], &asked["group_id"]),
        (&json!("requested"), &json!(group))
    );
    carol.join(group).await.ok();
    bob.join(group).await.ok();
    assert_eq!(
        requests(&alice, group).await,
        ["bob", "carol"],
        "once each, in their order"
    );
    let path = |tail: &str| format!("group/requests?group_id={group}{tail}");
    let behind = alice.get(&path("&after=dave")).await;
    assert!(behind.fails(400, "invalid_request").contains("after"));
    let first = alice.get(&path("&limit=1")).await.ok();
    assert_eq!(
        (&first["requests"][0]["username"], &first["has_more"]),
        (&json!("bob"), &json!(true))
    );
    let rest = alice.get(&path("&limit=1&after=bob")).await.ok();
    assert_eq!(
        (&rest["requests"][0]["username"], &rest["has_more"]),
        (&json!("carol"), &json!(false))
    );

    // Members who manage nothing, and strangers, neither see nor answer.
    for (user, code) in [(&dave, "forbidden"), (&bob, "not_member")] {
        user.get(&path("")).await.fails(403, code);
        answer(user, group, "bob", true).await.fails(403, code);
    }
    b.say_in(group, "m1", "am I in?").await;
    b.refused("m1", "not_member").await;
    assert_eq!(members(&alice, group).await, 2);

    assert_eq!(
        answer(&alice, group, "carol", false).await.ok()["message"],
        "request rejected"
    );
    answer(&alice, group, "carol", true)
        .await
        .fails(404, "request_not_found");
    assert_eq!(
        answer(&alice, group, "BOB", true).await.ok()["message"],
        "request approved"
    );
    let event = b.event("group_joined").await;
    assert_eq!(
        (&event["from"], &event["target"]),
        (&json!("alice"), &json!("bob"))
    );
    b.say_in(group, "m2", "I am in").await;
    b.stored("m2").await;
    answer(&alice, group, "bob", true)
        .await
        .fails(404, "request_not_found");
    bob.join(group).await.fails(409, "already_member");
    answer(&alice, group, "nobody", true)
        .await
        .fails(404, "user_not_found");
    answer(&alice, 999_999, "bob", true)
        .await
        .fails(404, "group_not_found");
    alice
        .get("group/requests?group_id=999999")
        .await
        .fails(404, "group_not_found");
    // Who was turned away may ask again, and an invitation answers it too.
    carol.join(group).await.ok();
    dave.invite(group, "carol").await.ok();
    assert!(requests(&alice, group).await.is_empty());
    assert_eq!(members(&alice, group).await, 4);
}

async fn a_group_of_invitations_is_joined_by_them(mode: Mode) {
    let (_lx, alice, bob, carol, group) = group(mode, json!({"join_policy": "invite"})).await;
    bob.join(group).await.fails(403, "forbidden");
    alice.invite(group, "bob").await.ok();
    bob.invite(group, "carol").await.ok();
    assert_eq!(members(&carol, group).await, 3);
}

async fn invitations_are_left_to_administrators(mode: Mode) {
    let (_lx, alice, bob, _carol, group) = group(mode, json!({"invite_policy": "admins"})).await;
    bob.join(group).await.ok();
    bob.invite(group, "carol").await.fails(403, "forbidden");
    let body = json!({"group_id": group});
    bob.post("group/invite_link", body.clone())
        .await
        .fails(403, "forbidden");
    let admin = json!({"group_id": group, "target_username": "bob", "role": "admin"});
    alice.post("group/role", admin).await.ok();
    bob.post("group/invite_link", body).await.ok();
    bob.invite(group, "carol").await.ok();
}

async fn a_link_leads_in_as_often_as_it_says(mode: Mode) {
    let (lx, alice, bob, carol, group) = group(mode, json!({"join_policy": "invite"})).await;
    let dave = lx.user("dave").await;
    let twice = link(&alice, json!({"max_uses": 2}), group).await;
    let joined = by_link(&bob, &twice).await.ok();
    assert_eq!(
        (&joined["state"], &joined["group_id"]),
        (&json!("joined"), &json!(group))
    );
    // Who is in already uses nothing up.
    by_link(&bob, &twice).await.fails(409, "already_member");
    by_link(&carol, &twice).await.ok();
    by_link(&dave, &twice)
        .await
        .fails(404, "invite_link_not_found");

    let before = now_ms();
    let made = alice
        .post(
            "group/invite_link",
            json!({"group_id": group, "expires_in": 1}),
        )
        .await
        .ok();
    let expires = made["expires_at"].as_i64().expect("a time");
    assert!((before + 1000..=now_ms() + 1000).contains(&expires));
    let code = made["code"].as_str().expect("a code");
    crate::harness::until("the link expires", async || now_ms() > expires).await;
    by_link(&dave, code)
        .await
        .fails(404, "invite_link_not_found");
    for nothing in ["", "no such code", &"a".repeat(500), "%", "' OR 1=1 --"] {
        by_link(&dave, nothing)
            .await
            .fails(404, "invite_link_not_found");
    }
    let ever = link(&bob, json!({}), group).await;
    by_link(&dave, &ever).await.ok();
    assert_eq!(members(&dave, group).await, 4);

    let refused = |body: Value| alice.post("group/invite_link", body);
    for body in [
        json!({"group_id": group, "expires_in": 0}),
        json!({"group_id": group, "expires_in": -5}),
        json!({"group_id": group, "expires_in": 400 * 24 * 3600}),
        json!({"group_id": group, "max_uses": 0}),
        json!({"group_id": group, "max_uses": "2"}),
    ] {
        refused(body).await.fails(400, "invalid_request");
    }
    dave.post("group/join", json!({}))
        .await
        .fails(400, "invalid_request");
    let both = json!({"group_id": group, "code": ever});
    dave.post("group/join", both)
        .await
        .fails(400, "invalid_request");
}

async fn a_link_is_taken_away(mode: Mode) {
    let (_lx, alice, bob, carol, group) = group(mode, json!({})).await;
    bob.join(group).await.ok();
    let (hers, his) = (
        link(&alice, json!({}), group).await,
        link(&bob, json!({}), group).await,
    );
    assert_ne!(hers, his);
    let path = |code: &str| format!("group/invite_link?code={code}");
    bob.delete(&path(&hers)).await.fails(403, "forbidden");
    carol.delete(&path(&hers)).await.fails(403, "not_member");
    assert_eq!(
        bob.delete(&path(&his)).await.ok()["message"],
        "invite link deleted"
    );
    bob.delete(&path(&his))
        .await
        .fails(404, "invite_link_not_found");
    by_link(&carol, &his)
        .await
        .fails(404, "invite_link_not_found");
    let another = link(&bob, json!({}), group).await;
    alice.delete(&path(&another)).await.ok();
    by_link(&carol, &hers).await.ok();
    bob.delete("group/invite_link")
        .await
        .fails(400, "invalid_request");

    // There are so many of them, and no more; those that no longer work make room.
    let short = link(&alice, json!({"max_uses": 1}), group).await;
    for _ in 2..100 {
        link(&alice, json!({}), group).await;
    }
    let body = json!({"group_id": group});
    alice
        .post("group/invite_link", body.clone())
        .await
        .fails(409, "too_many_links");
    bob.post("group/leave", body.clone()).await.ok();
    by_link(&bob, &short).await.ok();
    alice.post("group/invite_link", body.clone()).await.ok();
    // With the group they are gone.
    alice.post("group/dismiss", body).await.ok();
    by_link(&carol, &hers)
        .await
        .fails(404, "invite_link_not_found");
}

async fn a_link_does_not_bring_back_who_was_kicked(mode: Mode) {
    let (_lx, alice, bob, carol, group) = group(mode, json!({})).await;
    bob.join(group).await.ok();
    carol.join(group).await.ok();
    let code = link(&carol, json!({}), group).await;
    alice.kick(group, "bob").await.ok();
    by_link(&bob, &code).await.fails(403, "forbidden");
    bob.join(group).await.fails(403, "forbidden");
    carol.invite(group, "bob").await.ok();
    assert_eq!(members(&bob, group).await, 3);
}

async fn a_link_is_worth_what_its_maker_may(mode: Mode) {
    let (lx, alice, bob, carol, group) = group(mode, json!({})).await;
    let dave = lx.user("dave").await;
    bob.join(group).await.ok();
    let (his, hers) = (
        link(&bob, json!({}), group).await,
        link(&alice, json!({}), group).await,
    );
    let admins = json!({"group_id": group, "invite_policy": "admins"});
    alice.put("group/update", admins).await.ok();
    by_link(&carol, &his)
        .await
        .fails(404, "invite_link_not_found");
    let admin = json!({"group_id": group, "target_username": "bob", "role": "admin"});
    alice.post("group/role", admin).await.ok();
    by_link(&carol, &his).await.ok();
    alice.kick(group, "bob").await.ok();
    by_link(&dave, &his)
        .await
        .fails(404, "invite_link_not_found");
    by_link(&dave, &hers).await.ok();
}

async fn a_full_group_stays_full_under_everything_at_once(mode: Mode) {
    let rules = json!({"max_count": 4, "join_policy": "open"});
    let (lx, alice, bob, _carol, group) = group(mode, rules).await;
    bob.join(group).await.ok();
    let code = link(&alice, json!({}), group).await;
    let mut people = Vec::new();
    for number in 0..9 {
        people.push(lx.user(&format!("user{number}")).await);
    }
    let tries = people.iter().enumerate().map(|(number, user)| {
        let (alice, code) = (&alice, code.as_str());
        async move {
            match number % 3 {
                0 => user.join(group).await,
                1 => by_link(user, code).await,
                _ => alice.invite(group, &user.name).await,
            }
        }
    });
    let replies = futures_util::future::join_all(tries).await;
    let (done, refused): (Vec<_>, Vec<_>) = replies.into_iter().partition(|r| r.status == 200);
    assert_eq!(done.len(), 2, "{done:?}");
    for reply in refused {
        reply.fails(409, "group_full");
    }
    assert_eq!(members(&alice, group).await, 4);
    // Who waits is let in only where there is room.
    let approval = json!({"group_id": group, "join_policy": "approval"});
    alice.put("group/update", approval).await.ok();
    let late = lx.user("late").await;
    late.join(group).await.ok();
    answer(&alice, group, "late", true)
        .await
        .fails(409, "group_full");
    assert_eq!(
        requests(&alice, group).await,
        ["late"],
        "and goes on waiting"
    );
    alice.kick(group, "bob").await.ok();
    answer(&alice, group, "late", true).await.ok();
}
