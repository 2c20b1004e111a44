use lingxi_domain::role::GroupRole;

use super::*;

async fn three(w: &World) -> (Actor, Actor, Actor) {
    (
        w.user("alice").await,
        w.user("bob").await,
        w.user("carol").await,
    )
}

#[tokio::test]
async fn a_group_begins_with_its_owners_joining() {
    let w = World::new().await;
    let (alice, bob, _) = three(&w).await;
    let ear = w.listen(&alice).await;
    let new = crate::NewGroup {
        name: "Go学习小组".into(),
        max_count: Some(7),
        announcement: Some("be kind".into()),
    };
    let made = w.im.groups().create(&alice, &new).await.unwrap();
    assert_eq!(
        (made.max_count, made.conversation),
        (7, format!("g:{}", made.id))
    );
    let info = w.im.groups().info(alice.user_id, made.id).await.unwrap();
    assert_eq!(
        (info.owner.as_str(), info.member_count, info.role.as_deref()),
        ("alice", 1, Some("owner"))
    );
    assert_eq!(w.im.groups().mine(alice.user_id).await.unwrap(), [info]);
    assert_eq!(
        w.im.groups().info(bob.user_id, made.id).await.unwrap().role,
        None
    );
    let frames = ear.frames();
    let (frame, conversation, seq) = &frames[0];
    assert_eq!(
        (frames.len(), frame["event"].as_str(), *seq),
        (1, Some("group_joined"), 1)
    );
    assert_eq!(
        (&frame["from"], &frame["target"], &frame["group_id"]),
        (&"alice".into(), &"alice".into(), &made.id.into())
    );
    let head = w.store.conversation(conversation).await.unwrap().unwrap();
    assert_eq!((head.version, head.last_seq, head.message_seq), (1, 1, 0));
    for (name, max_count) in [
        ("", None),
        ("a\u{1}", None),
        ("g", Some(1)),
        ("g", Some(5001)),
    ] {
        let new = crate::NewGroup {
            name: name.into(),
            max_count,
            announcement: None,
        };
        refused(
            w.im.groups().create(&alice, &new).await,
            ErrorCode::InvalidRequest,
        );
    }
}

#[tokio::test]
async fn members_come_and_go_and_everybody_hears_of_it() {
    let w = World::new().await;
    let (alice, bob, carol) = three(&w).await;
    let id = w.group(&[&alice]).await;
    let key = format!("g:{id}");
    let (a, b, c) = (
        w.listen(&alice).await,
        w.listen(&bob).await,
        w.listen(&carol).await,
    );
    let groups = w.im.groups();
    assert_eq!(groups.join(&bob, id).await.unwrap().seq, Some(2));
    assert_eq!(groups.invite(&bob, id, "CAROL").await.unwrap().seq, 3);
    assert_eq!(groups.leave(&bob, id).await.unwrap().seq, 4);
    assert_eq!(groups.kick(&alice, id, "carol").await.unwrap().seq, 5);
    let seqs = |ear: &Ear| {
        ear.frames()
            .into_iter()
            .map(|(_, _, seq)| seq)
            .collect::<Vec<_>>()
    };
    assert_eq!(seqs(&a), [2, 3, 4, 5]);
    assert_eq!(
        seqs(&b),
        [2, 3, 4],
        "who leaves sees it, and nothing behind it"
    );
    assert_eq!(
        seqs(&c),
        [3, 4, 5],
        "who is brought in sees it, and nothing before it"
    );
    let member = w.store.member(&key, carol.user_id).await.unwrap().unwrap();
    assert_eq!(
        (member.joined_seq, member.left_seq, member.delivered_seq),
        (3, Some(5), 2)
    );
    let head = w.store.conversation(&key).await.unwrap().unwrap();
    assert_eq!(
        (head.version, head.last_seq),
        (5, 5),
        "every change of membership raises the version"
    );
    let kinds: Vec<_> = w
        .log(&key)
        .await
        .into_iter()
        .map(|(_, kind)| kind)
        .collect();
    use EntryKind::{Invited, Joined, Kicked, Left};
    assert_eq!(kinds, [Joined, Joined, Invited, Left, Kicked]);
    // Who left may come back, and sees what is said from then on.
    assert_eq!(groups.join(&bob, id).await.unwrap().seq, Some(6));
    let member = w.store.member(&key, bob.user_id).await.unwrap().unwrap();
    assert_eq!(
        (member.joined_seq, member.left_seq, member.delivered_seq),
        (6, None, 5)
    );
}

#[tokio::test]
async fn who_may_do_what() {
    let w = World::new().await;
    let (alice, bob, carol) = three(&w).await;
    let dave = w.user("dave").await;
    let id = w.group(&[&alice, &bob]).await;
    let groups = w.im.groups();
    refused(groups.join(&bob, id).await, ErrorCode::AlreadyMember);
    refused(groups.join(&bob, 99).await, ErrorCode::GroupNotFound);
    refused(groups.leave(&carol, id).await, ErrorCode::NotMember);
    refused(groups.leave(&alice, id).await, ErrorCode::Forbidden);
    refused(groups.leave(&alice, 99).await, ErrorCode::GroupNotFound);
    refused(
        groups.invite(&carol, id, "dave").await,
        ErrorCode::NotMember,
    );
    refused(
        groups.invite(&bob, id, "alice").await,
        ErrorCode::AlreadyMember,
    );
    refused(
        groups.invite(&bob, id, "nobody").await,
        ErrorCode::UserNotFound,
    );
    refused(
        groups.invite(&bob, 99, "dave").await,
        ErrorCode::GroupNotFound,
    );
    refused(groups.kick(&carol, id, "bob").await, ErrorCode::NotMember);
    refused(groups.kick(&bob, id, "alice").await, ErrorCode::Forbidden);
    refused(
        groups.kick(&alice, id, "nobody").await,
        ErrorCode::UserNotFound,
    );
    refused(groups.kick(&alice, id, "dave").await, ErrorCode::NotMember);
    refused(groups.kick(&alice, id, "alice").await, ErrorCode::Forbidden);
    refused(
        groups.members(carol.user_id, id).await,
        ErrorCode::NotMember,
    );
    refused(
        groups.members(carol.user_id, 99).await,
        ErrorCode::GroupNotFound,
    );
    refused(
        groups.info(carol.user_id, 99).await,
        ErrorCode::GroupNotFound,
    );
    let members = groups.members(bob.user_id, id).await.unwrap();
    let roles: Vec<_> = members
        .iter()
        .map(|m| (m.username.as_str(), m.role))
        .collect();
    assert_eq!(roles, [("alice", "owner"), ("bob", "member")]);
    assert_eq!(
        w.log(&format!("g:{id}")).await.len(),
        2,
        "what was refused left no trace"
    );

    // An administrator kicks members, but not the owner nor another administrator.
    let mut tx = w.store.begin().await.unwrap();
    let admins = [
        (bob.user_id, GroupRole::Admin),
        (carol.user_id, GroupRole::Admin),
    ];
    tx.add_members(&format!("g:{id}"), &admins, 2, now_ms())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    groups.join(&dave, id).await.unwrap();
    groups.kick(&bob, id, "dave").await.unwrap();
    refused(groups.kick(&bob, id, "carol").await, ErrorCode::Forbidden);
    refused(groups.kick(&bob, id, "alice").await, ErrorCode::Forbidden);
}

#[tokio::test]
async fn the_last_place_is_given_once() {
    let w = World::new().await;
    let alice = w.user("alice").await;
    let new = crate::NewGroup {
        name: "pair".into(),
        max_count: Some(2),
        announcement: None,
    };
    let id = w.im.groups().create(&alice, &new).await.unwrap().id;
    let mut tries = tokio::task::JoinSet::new();
    for number in 0..6 {
        let (im, user) = (w.im.clone(), w.user(&format!("user{number}")).await);
        tries.spawn(async move { im.groups().join(&user, id).await });
    }
    let results = tries.join_all().await;
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 1);
    for lost in results.into_iter().filter(Result::is_err) {
        refused(lost, ErrorCode::GroupFull);
    }
    assert_eq!(w.log(&format!("g:{id}")).await.len(), 2);
    w.user("late").await;
    refused(
        w.im.groups().invite(&alice, id, "late").await,
        ErrorCode::GroupFull,
    );
}

#[tokio::test]
async fn many_events_at_once_keep_the_log_dense() {
    let w = World::new().await;
    let alice = w.user("alice").await;
    let id = w.group(&[&alice]).await;
    let mut tries = tokio::task::JoinSet::new();
    for number in 0..40 {
        let (im, user) = (w.im.clone(), w.user(&format!("user{number}")).await);
        tries.spawn(async move { im.groups().join(&user, id).await.unwrap().seq });
    }
    let mut seqs = tries.join_all().await;
    seqs.sort_unstable();
    assert_eq!(seqs, (2..=41).map(Some).collect::<Vec<_>>());
}

#[tokio::test]
async fn groups_are_found_by_name_and_id() {
    let w = World::new().await;
    let (alice, bob, _) = three(&w).await;
    let id = w.group(&[&alice]).await;
    let other = crate::NewGroup {
        name: "100% Rust".into(),
        max_count: None,
        announcement: None,
    };
    let rust = w.im.groups().create(&alice, &other).await.unwrap().id;
    let search = async |keyword: &str| {
        let found =
            w.im.groups()
                .search(bob.user_id, keyword, 50)
                .await
                .unwrap();
        found
            .into_iter()
            .map(|g| (g.id, g.role))
            .collect::<Vec<_>>()
    };
    assert_eq!(search("rust").await, [(rust, None)]);
    assert_eq!(
        search(&id.to_string()).await[0],
        (id, None),
        "a keyword of digits is also an id"
    );
    assert_eq!(search("%").await, [(rust, None)]);
    assert_eq!(search("_").await, []);
    refused(
        w.im.groups().search(bob.user_id, "", 50).await,
        ErrorCode::InvalidRequest,
    );
}

#[tokio::test]
async fn a_taken_id_does_not_end_the_transaction() {
    let w = World::new().await;
    let alice = w.user("alice").await;
    let (taken, _) = w.say_now(&alice, direct(&alice, &alice), "note").await;
    let entry = |id, seq| NewEntry {
        id,
        conversation: "g:1",
        seq,
        kind: EntryKind::Joined,
        sender_id: alice.user_id,
        msg_id: None,
        content: "",
        target: None,
        target_seq: None,
        detail: None,
        file: None,
        created_at: 0,
    };
    let mut tx = w.store.begin().await.unwrap();
    tx.insert_entries(&[entry(taken + 1, 1)]).await.unwrap();
    let clash = tx.insert_entries(&[entry(taken, 2)]).await.unwrap_err();
    assert!(
        matches!(clash, lingxi_store::Error::Constraint("entries_id")),
        "{clash}"
    );
    tx.insert_entries(&[entry(taken + 2, 2)]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(w.log("g:1").await.len(), 2);
}
