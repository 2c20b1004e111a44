use super::*;
use crate::{HistoryQuery, Target};

fn query(before: Option<Seq>, after: Option<Seq>, limit: i64, all_entries: bool) -> HistoryQuery {
    HistoryQuery {
        before,
        after,
        limit: Some(limit),
        all_entries,
    }
}

async fn page(
    w: &World,
    user: &Actor,
    key: ConversationKey,
    query: HistoryQuery,
) -> (Vec<Seq>, bool) {
    let page =
        w.im.messages()
            .history(user.user_id, &key, &query)
            .await
            .unwrap();
    let seqs = page.messages.iter().map(|json| {
        serde_json::from_slice::<Value>(json).unwrap()["seq"]
            .as_i64()
            .unwrap()
    });
    (seqs.collect(), page.has_more)
}

#[tokio::test]
async fn pages_cover_everything_once() {
    let w = World::new().await;
    let (alice, bob) = (w.user("alice").await, w.user("bob").await);
    let key = direct(&alice, &bob);
    assert_eq!(
        page(&w, &alice, key, query(None, None, 5, true)).await,
        (vec![], false),
        "it has not begun"
    );
    for number in 1..=10 {
        w.say_now(
            if number % 2 == 0 { &bob } else { &alice },
            key,
            &number.to_string(),
        )
        .await;
    }
    let range = |from, to| (from..=to).collect::<Vec<Seq>>();
    for (before, after, limit, expected, more) in [
        (None, None, 50, range(1, 10), false),
        (None, None, 10, range(1, 10), false),
        (None, None, 4, range(7, 10), true),
        (Some(7), None, 4, range(3, 6), true),
        (Some(3), None, 4, range(1, 2), false),
        (Some(1), None, 4, vec![], false),
        (None, Some(0), 4, range(1, 4), true),
        (None, Some(4), 6, range(5, 10), false),
        (None, Some(10), 6, vec![], false),
        (Some(6), Some(2), 50, range(3, 5), false),
        (None, Some(Seq::MAX), 5, vec![], false),
        (None, None, 1000, range(1, 10), false),
    ] {
        let got = page(&w, &bob, key, query(before, after, limit, false)).await;
        assert_eq!(
            got,
            (expected, more),
            "before {before:?} after {after:?} limit {limit}"
        );
    }
    let newest =
        w.im.messages()
            .history(alice.user_id, &key, &query(None, None, 1, false))
            .await
            .unwrap();
    let message: Value = serde_json::from_slice(&newest.messages[0]).unwrap();
    assert_eq!(
        (&message["from"], &message["to"]),
        (&"bob".into(), &"alice".into())
    );
    assert_eq!(
        (&message["type"], &message["content"], &message["msg_id"]),
        (&2.into(), &"10".into(), &"10".into())
    );
    assert!(message.get("recalled").is_none() && message.get("group_id").is_none());
}

#[tokio::test]
async fn a_member_sees_from_joining_to_leaving() {
    let w = World::new().await;
    let (alice, bob, eve) = (
        w.user("alice").await,
        w.user("bob").await,
        w.user("eve").await,
    );
    let group = w.group(&[&alice]).await;
    let key = ConversationKey::Group(group);
    w.say_now(&alice, key, "before").await;
    w.im.groups().join(&bob, group).await.unwrap();
    w.say_now(&alice, key, "with him").await;
    w.im.groups().kick(&alice, group, "bob").await.unwrap();
    w.say_now(&alice, key, "without him").await;
    assert_eq!(
        page(&w, &bob, key, query(None, None, 50, true)).await.0,
        [3, 4, 5]
    );
    assert_eq!(
        page(&w, &bob, key, query(None, Some(0), 50, false)).await.0,
        [4]
    );
    assert_eq!(
        page(&w, &alice, key, query(None, None, 50, true)).await.0,
        [1, 2, 3, 4, 5, 6]
    );
    assert_eq!(
        page(&w, &alice, key, query(None, None, 50, false)).await.0,
        [2, 4, 6]
    );
    let messages = w.im.messages();
    let all = HistoryQuery::default();
    refused(
        messages.history(eve.user_id, &key, &all).await,
        ErrorCode::NotMember,
    );
    refused(
        messages
            .history(eve.user_id, &ConversationKey::Group(99), &all)
            .await,
        ErrorCode::GroupNotFound,
    );
    refused(
        messages
            .history(eve.user_id, &direct(&alice, &bob), &all)
            .await,
        ErrorCode::Forbidden,
    );
}

#[tokio::test]
async fn conversations_are_named_in_three_ways() {
    let w = World::new().await;
    let (alice, bob) = (w.user("alice").await, w.user("bob").await);
    let group = w.group(&[&alice]).await;
    let of = async |user: &Actor, target| w.im.messages().conversation(user.user_id, &target).await;
    assert_eq!(
        of(&alice, Target::User("BOB".into())).await,
        Ok(direct(&alice, &bob))
    );
    assert_eq!(
        of(&alice, Target::User("alice".into())).await,
        Ok(direct(&alice, &alice))
    );
    assert_eq!(
        of(&bob, Target::Group(group)).await,
        Ok(ConversationKey::Group(group))
    );
    assert_eq!(
        of(&bob, Target::Key(direct(&alice, &bob))).await,
        Ok(direct(&alice, &bob))
    );
    refused(
        of(&bob, Target::User("nobody".into())).await,
        ErrorCode::UserNotFound,
    );
    refused(of(&bob, Target::Group(99)).await, ErrorCode::GroupNotFound);
    refused(
        of(&bob, Target::Key(direct(&alice, &alice))).await,
        ErrorCode::Forbidden,
    );
}

#[tokio::test]
async fn a_page_ends_at_a_mebibyte_as_it_is_encoded() {
    const MESSAGES: usize = 30;
    let w = World::new().await;
    let (alice, bob) = (w.user("alice").await, w.user("bob").await);
    let key = direct(&alice, &bob);
    for number in 0..MESSAGES {
        // Each byte is six when it is written as JSON. The text is the msg_id, too.
        let text = format!("{number}{}", "\u{1}".repeat(8000));
        w.say_now(&alice, key, &text).await;
    }
    let get = async |query: HistoryQuery| {
        let messages = w.im.messages();
        messages.history(bob.user_id, &key, &query).await.unwrap()
    };
    let seqs = |history: &crate::History| -> Vec<Seq> {
        let bytes: usize = history.messages.iter().map(|json| json.len() + 1).sum();
        assert!(bytes <= 1024 * 1024, "{bytes}");
        let messages = history.messages.iter();
        let parsed = messages.map(|json| serde_json::from_slice::<Value>(json).unwrap());
        parsed.map(|json| json["seq"].as_i64().unwrap()).collect()
    };
    for forward in [true, false] {
        let (mut all, mut edge, mut pages) = (Vec::new(), None, 0);
        loop {
            let (before, after) = if forward {
                (None, Some(edge.unwrap_or(0)))
            } else {
                (edge, None)
            };
            let history = get(query(before, after, 200, true)).await;
            let mut got = seqs(&history);
            assert!(!got.is_empty() && got.is_sorted(), "{got:?}");
            edge = if forward {
                got.last().copied()
            } else {
                got.first().copied()
            };
            got.append(&mut all);
            all = got;
            pages += 1;
            if !history.has_more {
                break;
            }
        }
        all.sort_unstable();
        assert!(all.into_iter().eq(1..=MESSAGES as i64));
        assert!(pages > 2, "{pages}");
    }
}
