use super::*;
use crate::{Counterpart, Reading};

async fn list(w: &World, user: &Actor) -> Vec<crate::ConversationSummary> {
    w.im.conversations()
        .list(user.user_id, None, 50)
        .await
        .unwrap()
}

fn reading(actor: &Actor, key: ConversationKey, upto: Option<i64>) -> Reading {
    let actor = actor.clone();
    Reading { actor, key, upto }
}

#[tokio::test]
async fn private_and_group_in_one_list() {
    let w = World::new().await;
    let (alice, bob, carol) = (
        w.user("alice").await,
        w.user("bob").await,
        w.user("carol").await,
    );
    assert!(list(&w, &alice).await.is_empty());
    let group = w.group(&[&bob, &alice]).await;
    let now = now_ms() + 10;
    w.say(&bob, direct(&alice, &bob), "one", now).await;
    w.say(&bob, ConversationKey::Group(group), "two", now + 1)
        .await;
    w.say(&alice, direct(&alice, &carol), "three", now + 2)
        .await;
    w.say(&alice, direct(&alice, &alice), "note", now + 3).await;
    let rows = list(&w, &alice).await;
    let last =
        |n: usize| serde_json::from_str::<Value>(rows[n].last_message.as_deref().unwrap()).unwrap();
    let user = |name: &str| Counterpart::User {
        username: name.into(),
        nickname: name.into(),
    };
    assert_eq!(rows[0].with, user("alice"));
    assert_eq!(
        (&last(0)["from"], &last(0)["to"]),
        (&"alice".into(), &"alice".into())
    );
    assert_eq!(
        (&rows[1].with, rows[1].unread),
        (&user("carol"), 0),
        "one's own is read"
    );
    assert_eq!(
        (&last(1)["from"], &last(1)["to"]),
        (&"alice".into(), &"carol".into())
    );
    assert_eq!(
        rows[2].with,
        Counterpart::Group {
            id: group,
            name: "g".into()
        }
    );
    assert_eq!(
        (&last(2)["content"], &last(2)["group_id"], last(2).get("to")),
        (&"two".into(), &group.into(), None)
    );
    assert_eq!(
        (rows[2].unread, rows[2].last_seq),
        (1, 3),
        "only messages are unread"
    );
    assert_eq!((&rows[3].with, rows[3].unread), (&user("bob"), 1));
    assert_eq!(
        (&last(3)["from"], &last(3)["to"], &last(3)["type"]),
        (&"bob".into(), &"alice".into(), &2.into())
    );

    let mut paged =
        w.im.conversations()
            .list(alice.user_id, None, 3)
            .await
            .unwrap();
    let before = paged.last().map(|row| row.last_time);
    paged.extend(
        w.im.conversations()
            .list(alice.user_id, before, 3)
            .await
            .unwrap(),
    );
    assert_eq!(paged, rows);
}

#[tokio::test]
async fn reading_moves_forward_and_tells_the_other_side() {
    let w = World::new().await;
    let (alice, bob, eve) = (
        w.user("alice").await,
        w.user("bob").await,
        w.user("eve").await,
    );
    let key = direct(&alice, &bob);
    let messages = w.im.messages();
    assert_eq!(
        messages.mark_read(reading(&bob, key, None)).await.unwrap(),
        0,
        "it has not begun"
    );
    for number in 0..10 {
        w.say_now(&alice, key, &number.to_string()).await;
    }
    let (a, b) = (w.listen(&alice).await, w.listen(&bob).await);
    assert_eq!(
        messages
            .mark_read(reading(&bob, key, Some(7)))
            .await
            .unwrap(),
        7
    );
    for ear in [&a, &b] {
        let frames = ear.frames();
        let (frame, conversation, seq) = &frames[0];
        assert_eq!(
            (frames.len(), conversation.as_str(), *seq),
            (1, "", 0),
            "a receipt is no entry of the log"
        );
        assert_eq!(
            (&frame["event"], &frame["from"], &frame["seq"]),
            (&"read".into(), &"bob".into(), &7.into())
        );
    }
    assert_eq!(list(&w, &bob).await[0].unread, 3);
    assert_eq!(
        messages
            .mark_read(reading(&bob, key, Some(2)))
            .await
            .unwrap(),
        7,
        "it never moves back"
    );
    assert!(a.frames().is_empty(), "what did not move is not told");
    assert_eq!(
        messages
            .mark_read(reading(&bob, key, Some(99)))
            .await
            .unwrap(),
        10
    );
    assert_eq!(
        messages.mark_read(reading(&bob, key, None)).await.unwrap(),
        10
    );
    assert_eq!(a.frames().len(), 1);
    refused(
        messages.mark_read(reading(&eve, key, None)).await,
        ErrorCode::Forbidden,
    );

    let group = w.group(&[&alice, &bob]).await;
    let key = ConversationKey::Group(group);
    a.frames();
    b.frames();
    assert_eq!(
        messages.mark_read(reading(&bob, key, None)).await.unwrap(),
        2
    );
    assert!(a.frames().is_empty(), "groups are read quietly");
    assert_eq!(b.frames().len(), 1, "one's own devices know");
    refused(
        messages.mark_read(reading(&eve, key, None)).await,
        ErrorCode::NotMember,
    );
    refused(
        messages
            .mark_read(reading(&eve, ConversationKey::Group(99), None))
            .await,
        ErrorCode::GroupNotFound,
    );
}

#[tokio::test]
async fn many_read_at_once_and_each_has_its_answer() {
    let w = World::new().await;
    let (alice, bob, eve) = (
        w.user("alice").await,
        w.user("bob").await,
        w.user("eve").await,
    );
    let (of_both, own) = (direct(&alice, &bob), direct(&bob, &bob));
    for text in ["1", "2", "3"] {
        w.say_now(&alice, of_both, text).await;
        w.say_now(&bob, own, text).await;
    }
    let (a, b) = (w.listen(&alice).await, w.listen(&bob).await);
    let readings = [
        reading(&eve, of_both, None),
        reading(&bob, of_both, Some(2)),
        reading(&alice, direct(&alice, &eve), None),
        reading(&bob, own, None),
        reading(&alice, of_both, Some(1)),
    ];
    let answers = w.im.messages().mark_many_read(&readings).await.unwrap();
    let codes: Vec<_> = answers
        .into_iter()
        .map(|answer| answer.map_err(|error| error.code()))
        .collect();
    assert_eq!(
        codes,
        [Err(ErrorCode::Forbidden), Ok(2), Ok(0), Ok(3), Ok(1)]
    );
    let said = |frames: Vec<(Value, String, i64)>| {
        frames
            .into_iter()
            .map(|(frame, ..)| (frame["from"].to_string(), frame["seq"].to_string()))
            .collect::<Vec<_>>()
    };
    let told = |from: &str, seq: &str| (format!("\"{from}\""), seq.to_owned());
    assert_eq!(said(a.frames()), [told("bob", "2"), told("alice", "1")]);
    assert_eq!(
        said(b.frames()),
        [told("bob", "2"), told("bob", "3"), told("alice", "1")]
    );
}
