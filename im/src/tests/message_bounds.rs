//! How much may be done about messages, and how many may wait or be blocked.

use lingxi_domain::limits;
use lingxi_domain::policies::JoinPolicy;

use super::group_limits::large_group;
use super::*;
use crate::GroupUpdate;

/// How often something is granted before it is refused for its rate.
async fn granted<T>(mut once: impl AsyncFnMut(usize) -> Result<T, Error>) -> usize {
    for number in 0..1000 {
        match once(number).await {
            Ok(_) => {}
            Err(error) if error.code() == ErrorCode::RateLimited => return number,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("it is never refused");
}

#[tokio::test]
async fn what_is_done_about_a_message_costs_by_the_members_who_are_told() {
    let w = World::with(|config| config.rate_limits = true).await;
    let (alice, bob) = (w.user("alice").await, w.user("bob").await);
    let large = large_group(&w, &alice, 4600).await;
    let (id, _) = w
        .say_now(&alice, ConversationKey::Group(large), "all of you")
        .await;
    let messages = w.im.messages();
    let toggled = granted(async |n| messages.react(&alice, id, ("👍", n % 2 == 0)).await).await;
    assert!(
        (19..25).contains(&toggled),
        "five of a hundred each: {toggled}"
    );
    let refused_too = [
        messages.edit(&alice, id, "other").await.map(drop),
        messages.pin(&alice, id, true).await,
        messages.recall(&alice, id).await.map(drop),
    ];
    for done in refused_too {
        refused(done, ErrorCode::RateLimited);
    }
    let (id, _) = w.say_now(&bob, direct(&alice, &bob), "you").await;
    let toggled = granted(async |n| messages.react(&bob, id, ("👍", n % 2 == 0)).await).await;
    assert!(
        (99..130).contains(&toggled),
        "one of a hundred each: {toggled}"
    );
}

#[tokio::test]
async fn who_is_turned_away_costs_no_more_than_a_request() {
    let w = World::with(|config| config.rate_limits = true).await;
    let alice = w.user("alice").await;
    let large = large_group(&w, &alice, 4600).await;
    let approval = GroupUpdate {
        join_policy: Some(JoinPolicy::Approval),
        ..GroupUpdate::default()
    };
    let groups = w.im.groups();
    groups.update(&alice, large, &approval).await.unwrap();
    for name in ["b1", "b2", "b3"] {
        groups.join(&w.user(name).await, large).await.unwrap();
    }
    for name in ["b1", "b2"] {
        let whom = (large, name);
        groups.answer_request(&alice, whom, false).await.unwrap();
    }
    refused(
        groups.answer_request(&alice, (large, "b3"), true).await,
        ErrorCode::RateLimited,
    );
}

#[tokio::test]
async fn so_many_messages_are_pinned_and_no_more() {
    let w = World::new().await;
    let alice = w.user("alice").await;
    let group = ConversationKey::Group(w.group(&[&alice]).await);
    let mut first = 0;
    for number in 0..=limits::MAX_PINS {
        let (id, _) = w.say_now(&alice, group, &format!("m{number}")).await;
        let pinned = w.im.messages().pin(&alice, id, true).await;
        if number == 0 {
            first = id;
        }
        if number < limits::MAX_PINS {
            pinned.unwrap();
        } else {
            refused(pinned, ErrorCode::TooManyPins);
            w.im.messages().pin(&alice, first, false).await.unwrap();
            w.im.messages().pin(&alice, id, true).await.unwrap();
        }
    }
}

#[tokio::test]
async fn so_many_wait_to_be_let_in_and_no_more() {
    let w = World::new().await;
    let (alice, bob, carol) = (
        w.user("alice").await,
        w.user("bob").await,
        w.user("carol").await,
    );
    let id = w.group(&[&alice]).await;
    let approval = GroupUpdate {
        join_policy: Some(JoinPolicy::Approval),
        ..GroupUpdate::default()
    };
    let groups = w.im.groups();
    groups.update(&alice, id, &approval).await.unwrap();
    let mut tx = w.store.begin().await.unwrap();
    for number in 1..limits::MAX_JOIN_REQUESTS {
        tx.put_join_request(id, NOBODY + number, 1).await.unwrap();
    }
    tx.commit().await.unwrap();
    groups.join(&bob, id).await.unwrap();
    refused(groups.join(&carol, id).await, ErrorCode::TooManyRequests);
    groups.join(&bob, id).await.unwrap();
    groups
        .answer_request(&alice, (id, "bob"), false)
        .await
        .unwrap();
    groups.join(&carol, id).await.unwrap();
}

#[tokio::test]
async fn so_many_are_blocked_and_no_more() {
    let w = World::new().await;
    let (alice, bob, carol) = (
        w.user("alice").await,
        w.user("bob").await,
        w.user("carol").await,
    );
    let mut tx = w.store.begin().await.unwrap();
    for number in 1..limits::MAX_BLOCKED {
        let pair = (alice.user_id, NOBODY + number);
        tx.set_blocked(pair, true, 1).await.unwrap();
    }
    tx.commit().await.unwrap();
    let contacts = w.im.contacts();
    contacts.block(&alice, "bob").await.unwrap();
    refused(
        contacts.block(&alice, "carol").await,
        ErrorCode::TooManyBlocked,
    );
    let mut tx = w.store.begin().await.unwrap();
    let left = tx.blocks(alice.user_id, carol.user_id).await.unwrap();
    assert!(!left, "nothing of what was refused is left");
    drop(tx);
    contacts.block(&alice, "bob").await.unwrap();
    contacts.unblock(&alice, &bob.username).await.unwrap();
    contacts.block(&alice, "carol").await.unwrap();
}

#[tokio::test]
async fn who_has_read_is_not_said_in_large_groups() {
    let w = World::new().await;
    let alice = w.user("alice").await;
    for (members, known) in [(199, true), (200, false)] {
        let group = large_group(&w, &alice, members).await;
        let (id, _) = w
            .say_now(&alice, ConversationKey::Group(group), "read me")
            .await;
        let readers = w.im.messages().readers(alice.user_id, id).await;
        if known {
            assert_eq!(readers.unwrap(), []);
        } else {
            refused(readers, ErrorCode::InvalidRequest);
        }
    }
}

#[tokio::test]
async fn nothing_is_left_of_what_was_reacted_to_a_recalled_message() {
    let w = World::new().await;
    let (alice, bob) = (w.user("alice").await, w.user("bob").await);
    let (id, _) = w.say_now(&alice, direct(&alice, &bob), "oops").await;
    let messages = w.im.messages();
    for (who, emoji) in [(&alice, "👍"), (&bob, "👍"), (&bob, "❤️")] {
        messages.react(who, id, (emoji, true)).await.unwrap();
    }
    messages.recall(&alice, id).await.unwrap();
    let mut tx = w.store.begin().await.unwrap();
    for (who, emoji) in [(&alice, "👍"), (&bob, "👍"), (&bob, "❤️")] {
        assert!(!tx.has_reacted(id, emoji, who.user_id).await.unwrap());
        assert_eq!(tx.reaction_kinds(id, emoji).await.unwrap(), (0, 0));
    }
}
