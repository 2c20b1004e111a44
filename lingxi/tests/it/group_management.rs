//! What owners and administrators change, who is refused, and that everybody hears of it from its commit on.

use lingxi_domain::now_ms;
use serde_json::{Value, json};

use crate::harness::{Deployment, Mode, Reply, User};

behaviours!(
    a_group_is_changed,
    a_change_is_refused_whole,
    administrators_are_made_and_unmade,
    a_muted_member_is_silent_until_the_time,
    a_group_is_handed_over,
    a_dismissed_group_is_over,
    a_member_who_was_away_hears_of_all_of_it,
);

/// Alice, the owner, bob and carol, who are members.
async fn group(mode: Mode) -> (Deployment, User, User, User, u64) {
    let there = mode.with_group().await;
    there.3.join(there.4).await.ok();
    there
}

async fn role(user: &User, group: u64, name: &str, role: &str) -> Reply {
    let body = json!({"group_id": group, "target_username": name, "role": role});
    user.post("group/role", body).await
}

async fn mute(user: &User, group: u64, name: &str, until: i64) -> Reply {
    let body = json!({"group_id": group, "target_username": name, "until": until});
    user.post("group/mute", body).await
}

async fn transfer(user: &User, group: u64, name: &str) -> Reply {
    let body = json!({"group_id": group, "target_username": name});
    user.post("group/transfer", body).await
}

async fn dismiss(user: &User, group: u64) -> Reply {
    user.post("group/dismiss", json!({"group_id": group})).await
}

async fn update(user: &User, group: u64, mut changes: Value) -> Reply {
    changes["group_id"] = group.into();
    user.put("group/update", changes).await
}

async fn info(user: &User, group: u64) -> Value {
    user.get(&format!("group/info?group_id={group}")).await.ok()
}

async fn a_group_is_changed(mode: Mode) {
    let (_lx, alice, bob, carol, group) = group(mode).await;
    let mut c = carol.connect().await;
    let changes = json!({
        "name": "  Go学习小组 ", "announcement": "be kind\r\nand curious", "max_count": 3,
        "join_policy": "approval", "invite_policy": "admins",
    });
    let changed = update(&alice, group, changes).await.ok();
    assert_eq!(changed["name"], "Go学习小组");
    assert_eq!(changed["announcement"], "be kind\nand curious");
    assert_eq!(changed["max_count"], 3);
    assert_eq!(changed["join_policy"], "approval");
    assert_eq!(changed["invite_policy"], "admins");
    assert_eq!(changed, info(&alice, group).await);
    let event = c.event("group_updated").await;
    assert_eq!(
        event["changes"],
        json!({
            "name": "Go学习小组", "announcement": "be kind\nand curious", "max_count": 3,
            "join_policy": "approval", "invite_policy": "admins",
        })
    );
    assert_eq!(event["from"], "alice");
    assert_eq!(event["group_id"], group);
    assert!(event.get("target").is_none(), "{event}");
    let seq = event["seq"].as_u64().expect("a seq");

    // What is the same is no news, and what is left out stays.
    update(&alice, group, json!({"name": "Go学习小组"}))
        .await
        .ok();
    update(&alice, group, json!({})).await.ok();
    role(&alice, group, "bob", "admin").await.ok();
    let event = c.event("group_updated").await;
    assert_eq!(event["seq"], seq + 1);
    let changed = update(&bob, group, json!({"announcement": ""})).await.ok();
    assert_eq!(changed["announcement"], "");
    assert_eq!(changed["max_count"], 3);
    assert_eq!(changed["role"], "admin");
    let event = c.event("group_updated").await;
    assert_eq!(
        (&event["seq"], &event["from"]),
        (&json!(seq + 2), &json!("bob"))
    );
    assert_eq!(event["changes"], json!({"announcement": ""}));

    // It is found by its new name only.
    let found = async |keyword: &str| {
        let found = carol
            .get(&format!("group/search?keyword={keyword}"))
            .await
            .ok();
        found["groups"].as_array().expect("groups").len()
    };
    assert_eq!(found("学习").await, 1);
    assert_eq!(found("g").await, 1, "by the G of Go");
    update(&alice, group, json!({"name": "Rust"})).await.ok();
    assert_eq!((found("学习").await, found("rus").await), (0, 1));
    let row = carol.conversation(&format!("g:{group}")).await;
    assert_eq!(row.expect("a row")["name"], "Rust");
}

async fn a_change_is_refused_whole(mode: Mode) {
    let (lx, alice, bob, carol, group) = group(mode).await;
    let dave = lx.user("dave").await;
    let before = info(&alice, group).await;
    for (changes, field) in [
        (json!({"name": "fine", "max_count": 1}), "max_count"),
        (json!({"name": "fine", "max_count": 2}), "max_count"),
        (json!({"name": "fine", "max_count": 5001}), "max_count"),
        (json!({"name": "a\nb"}), "name"),
        (json!({"name": ""}), "name"),
        (
            json!({"name": "fine", "announcement": "a\u{0}"}),
            "announcement",
        ),
        (
            json!({"name": "fine", "announcement": "a".repeat(513)}),
            "announcement",
        ),
        (
            json!({"name": "fine", "join_policy": "closed"}),
            "join_policy",
        ),
        (json!({"name": "fine", "invite_policy": 1}), "invite_policy"),
    ] {
        let reply = update(&alice, group, changes.clone()).await;
        let message = reply.fails(400, "invalid_request");
        assert!(message.contains(field), "{changes}: {message}");
    }
    update(&bob, group, json!({"name": "mine"}))
        .await
        .fails(403, "forbidden");
    update(&dave, group, json!({"name": "mine"}))
        .await
        .fails(403, "not_member");
    update(&alice, 999_999, json!({"name": "x"}))
        .await
        .fails(404, "group_not_found");
    assert_eq!(info(&alice, group).await, before, "nothing of it was done");
    for reply in [
        role(&bob, group, "carol", "admin").await,
        mute(&bob, group, "carol", 0).await,
        transfer(&bob, group, "bob").await,
        dismiss(&bob, group).await,
    ] {
        reply.fails(403, "forbidden");
    }
    for reply in [
        role(&dave, group, "carol", "admin").await,
        mute(&dave, group, "carol", 0).await,
        transfer(&dave, group, "carol").await,
        dismiss(&dave, group).await,
        role(&alice, group, "dave", "admin").await,
        mute(&alice, group, "dave", 0).await,
        transfer(&alice, group, "dave").await,
    ] {
        reply.fails(403, "not_member");
    }
    for reply in [
        role(&alice, group, "nobody", "admin").await,
        mute(&alice, group, "nobody", 0).await,
        transfer(&alice, group, "nobody").await,
    ] {
        reply.fails(404, "user_not_found");
    }
    for reply in [
        role(&alice, group, "alice", "admin").await,
        role(&alice, group, "bob", "owner").await,
        mute(&alice, group, "alice", 0).await,
        mute(&alice, group, "bob", -1).await,
        mute(&alice, group, "bob", now_ms() - 60_000).await,
        transfer(&alice, group, "alice").await,
    ] {
        reply.fails(400, "invalid_request");
    }
    let log = carol.log(&format!("group_id={group}")).await;
    assert!(
        log.iter().all(|entry| entry["event"] == "group_joined"),
        "{log:?}"
    );
}

async fn administrators_are_made_and_unmade(mode: Mode) {
    let (lx, alice, bob, carol, group) = group(mode).await;
    let dave = lx.user("dave").await;
    dave.join(group).await.ok();
    let mut c = carol.connect().await;
    let made = role(&alice, group, "BOB", "admin").await.ok();
    assert_eq!(
        (&made["username"], &made["role"]),
        (&json!("bob"), &json!("admin"))
    );
    let event = c.event("group_updated").await;
    assert_eq!(
        (&event["from"], &event["target"]),
        (&json!("alice"), &json!("bob"))
    );
    assert_eq!(event["changes"], json!({"role": "admin"}));
    // Again is no news.
    role(&alice, group, "bob", "admin").await.ok();
    // An administrator does not make others, nor touches the owner or another administrator.
    role(&bob, group, "carol", "admin")
        .await
        .fails(403, "forbidden");
    role(&alice, group, "dave", "admin").await.ok();
    for name in ["alice", "dave"] {
        for until in [0, now_ms() + 60_000] {
            mute(&bob, group, name, until).await.fails(403, "forbidden");
        }
        bob.kick(group, name).await.fails(403, "forbidden");
    }
    bob.kick(group, "carol").await.ok();
    role(&alice, group, "bob", "member").await.ok();
    bob.kick(group, "dave").await.fails(403, "forbidden");
    update(&bob, group, json!({"name": "mine"}))
        .await
        .fails(403, "forbidden");
}

async fn a_muted_member_is_silent_until_the_time(mode: Mode) {
    let (_lx, alice, bob, carol, group) = group(mode).await;
    let (mut b, mut c) = (bob.connect().await, carol.connect().await);
    b.say_in(group, "m1", "before").await;
    b.stored("m1").await;
    let until = now_ms() + 3_600_000;
    let muted = mute(&alice, group, "bob", until).await.ok();
    assert_eq!(muted["muted_until"], until);
    // From the commit on, on whatever node.
    b.say_in(group, "m2", "quiet").await;
    b.refused("m2", "muted").await;
    let event = c.event("group_updated").await;
    assert_eq!(
        (&event["target"], &event["changes"]),
        (&json!("bob"), &json!({"muted_until": until}))
    );
    let list = carol
        .get(&format!("group/members?group_id={group}"))
        .await
        .ok();
    let shown: Vec<_> = list["members"]
        .as_array()
        .expect("members")
        .iter()
        .map(|member| (&member["username"], member.get("muted_until")))
        .collect();
    assert_eq!(
        shown,
        [
            (&json!("alice"), None),
            (&json!("bob"), Some(&json!(until))),
            (&json!("carol"), None)
        ]
    );
    c.say_in(group, "c1", "others go on").await;
    c.stored("c1").await;
    b.message("others go on").await;

    // Going and coming back does not help.
    bob.post("group/leave", json!({"group_id": group}))
        .await
        .ok();
    bob.join(group).await.ok();
    b.say_in(group, "m2", "quiet").await;
    b.refused("m2", "muted").await;
    let lifted = mute(&alice, group, "bob", 0).await.ok();
    assert!(lifted.get("muted_until").is_none(), "{lifted}");
    b.say_in(group, "m2", "quiet").await;
    b.stored("m2").await;
    c.message("quiet").await;

    // One that is over by itself needs nobody.
    mute(&alice, group, "bob", now_ms() + 300).await.ok();
    let mut number = 2;
    crate::harness::until("the mute is over", async || {
        number += 1;
        let id = format!("m{number}");
        b.say_in(group, &id, &id).await;
        b.ack(&id).await["status"] == "stored"
    })
    .await;
}

async fn a_group_is_handed_over(mode: Mode) {
    let (_lx, alice, bob, carol, group) = group(mode).await;
    let mut c = carol.connect().await;
    mute(&alice, group, "bob", now_ms() + 3_600_000).await.ok();
    c.event("group_updated").await;
    let group_now = transfer(&alice, group, "bob").await.ok();
    assert_eq!(
        (&group_now["owner"], &group_now["role"]),
        (&json!("bob"), &json!("admin"))
    );
    let event = c.event("group_updated").await;
    assert_eq!(
        (&event["from"], &event["target"]),
        (&json!("alice"), &json!("bob"))
    );
    assert_eq!(event["changes"], json!({"role": "owner"}));
    let list = carol
        .get(&format!("group/members?group_id={group}"))
        .await
        .ok();
    let roles: Vec<_> = list["members"]
        .as_array()
        .expect("members")
        .iter()
        .map(|member| {
            (
                &member["username"],
                &member["role"],
                member.get("muted_until"),
            )
        })
        .collect();
    assert_eq!(
        roles,
        [
            (&json!("bob"), &json!("owner"), None),
            (&json!("alice"), &json!("admin"), None),
            (&json!("carol"), &json!("member"), None)
        ],
        "an owner is not muted"
    );
    transfer(&alice, group, "carol")
        .await
        .fails(403, "forbidden");
    dismiss(&alice, group).await.fails(403, "forbidden");
    // The former owner may go, the new one may not.
    let leave = json!({"group_id": group});
    bob.post("group/leave", leave.clone())
        .await
        .fails(403, "forbidden");
    alice.post("group/leave", leave).await.ok();
    dismiss(&bob, group).await.ok();
}

async fn a_dismissed_group_is_over(mode: Mode) {
    let (lx, alice, bob, carol, group) = group(mode).await;
    let dave = lx.user("dave").await;
    let (mut b, mut c) = (bob.connect().await, carol.connect().await);
    b.say_in(group, "m1", "the last word").await;
    b.stored("m1").await;
    c.message("the last word").await;
    let done = dismiss(&alice, group).await.ok();
    assert_eq!(done["message"], "group dismissed");
    for ws in [&mut b, &mut c] {
        let event = ws.event("group_dismissed").await;
        assert_eq!(
            (&event["from"], &event["group_id"]),
            (&json!("alice"), &json!(group))
        );
    }
    b.say_in(group, "m2", "anybody?").await;
    b.refused("m2", "group_not_found").await;
    dismiss(&alice, group).await.fails(404, "group_not_found");
    dave.join(group).await.fails(404, "group_not_found");
    alice
        .invite(group, "dave")
        .await
        .fails(404, "group_not_found");
    dave.get(&format!("group/info?group_id={group}"))
        .await
        .fails(404, "group_not_found");
    dave.get(&format!("message/history?group_id={group}"))
        .await
        .fails(404, "group_not_found");
    let mine = bob.get("group/mygroups").await.ok();
    assert_eq!(mine["groups"], json!([]));
    assert_eq!(bob.conversation(&format!("g:{group}")).await, None);
    let found = dave.get("group/search?keyword=g").await.ok();
    assert_eq!(found["groups"], json!([]));
    // What was said stays with those who heard it, up to the end.
    let log = carol.log(&format!("group_id={group}")).await;
    let tail: Vec<_> = log.iter().rev().take(2).rev().collect();
    assert_eq!(tail[0]["content"], "the last word");
    assert_eq!(tail[1]["event"], "group_dismissed");
    let read = carol
        .post("message/read", json!({"group_id": group}))
        .await
        .ok();
    assert_eq!(read["read_seq"], tail[1]["seq"]);
}

async fn a_member_who_was_away_hears_of_all_of_it(mode: Mode) {
    let (_lx, alice, _bob, carol, group) = group(mode).await;
    update(&alice, group, json!({"name": "new"})).await.ok();
    let until = now_ms() + 3_600_000;
    mute(&alice, group, "bob", until).await.ok();
    role(&alice, group, "carol", "admin").await.ok();
    dismiss(&alice, group).await.ok();
    let mut c = carol.connect().await;
    let mut seq = None;
    for changes in [
        json!({"name": "new"}),
        json!({"muted_until": until}),
        json!({"role": "admin"}),
    ] {
        let event = c.event("group_updated").await;
        assert_eq!(event["changes"], changes);
        let next = event["seq"].as_u64().expect("a seq");
        assert!(seq.is_none_or(|last: u64| next == last + 1), "{event}");
        seq = Some(next);
    }
    let event = c.event("group_dismissed").await;
    assert_eq!(event["seq"].as_u64(), seq.map(|last| last + 1));
    assert!(event.get("changes").is_none(), "{event}");
}
