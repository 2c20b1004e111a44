use lingxi_domain::limits::RECALL_WINDOW_MS;

use super::*;
use crate::HistoryQuery;

async fn newest(w: &World, user: &Actor, key: ConversationKey, all_entries: bool) -> Value {
    let query = HistoryQuery {
        limit: Some(1),
        all_entries,
        ..HistoryQuery::default()
    };
    let page =
        w.im.messages()
            .history(user.user_id, &key, &query)
            .await
            .unwrap();
    serde_json::from_slice(&page.messages[0]).unwrap()
}

#[tokio::test]
async fn a_recalled_message_is_gone_and_the_log_says_so() {
    let w = World::new().await;
    let (alice, bob) = (w.user("alice").await, w.user("bob").await);
    let key = direct(&alice, &bob);
    w.say_now(&alice, key, "before").await;
    let (id, seq) = w.say_now(&alice, key, "oops").await;
    let ears = [w.listen(&alice).await, w.listen(&bob).await];
    let recalled = w.im.messages().recall(&alice, id).await.unwrap();
    assert_eq!(
        (recalled.conversation.as_str(), recalled.seq),
        (key.to_string().as_str(), 3)
    );
    for ear in &ears {
        let frames = ear.frames();
        let (frame, conversation, pushed) = &frames[0];
        assert_eq!(
            (frames.len(), conversation, *pushed),
            (1, &recalled.conversation, 3)
        );
        assert_eq!(
            (&frame["event"], &frame["from"]),
            (&"recalled".into(), &"alice".into())
        );
        assert_eq!(
            (&frame["target_id"], &frame["target_seq"]),
            (&id.into(), &seq.into())
        );
        assert!(
            frame.get("target").is_none() && frame.get("to").is_none(),
            "{frame}"
        );
    }
    let message = newest(&w, &bob, key, false).await;
    assert_eq!(
        (&message["content"], &message["recalled"]),
        (&"".into(), &true.into())
    );
    let entry = newest(&w, &bob, key, true).await;
    assert_eq!(
        (&entry["event"], &entry["target_id"]),
        (&"recalled".into(), &id.into())
    );

    // Again: the first answer, and nothing more in the log.
    assert_eq!(w.im.messages().recall(&alice, id).await.unwrap(), recalled);
    assert!(ears[1].frames().is_empty());
    assert_eq!(w.log(&recalled.conversation).await.len(), 3);
}

#[tokio::test]
async fn recalls_at_once_are_one() {
    let w = World::new().await;
    let (alice, bob) = (w.user("alice").await, w.user("bob").await);
    let key = direct(&alice, &bob);
    let (id, _) = w.say_now(&alice, key, "oops").await;
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (im, alice) = (w.im.clone(), alice.clone());
        tries.spawn(async move { im.messages().recall(&alice, id).await.unwrap().seq });
    }
    assert_eq!(tries.join_all().await, [2; 8]);
    assert_eq!(w.log(&key.to_string()).await.len(), 2);
}

#[tokio::test]
async fn who_may_recall_and_when() {
    let w = World::new().await;
    let (alice, bob, carol) = (
        w.user("alice").await,
        w.user("bob").await,
        w.user("carol").await,
    );
    let messages = w.im.messages();
    let private = direct(&alice, &bob);
    let (id, _) = w.say_now(&alice, private, "mine").await;
    refused(messages.recall(&bob, id).await, ErrorCode::Forbidden);
    refused(
        messages.recall(&carol, id).await,
        ErrorCode::MessageNotFound,
    );
    refused(
        messages.recall(&alice, 12345).await,
        ErrorCode::MessageNotFound,
    );
    let long_ago = now_ms() - RECALL_WINDOW_MS - 1000;
    let (old, _) = w.say(&alice, private, "old", long_ago).await;
    refused(messages.recall(&alice, old).await, ErrorCode::RecallExpired);

    let group = w.group(&[&alice, &bob]).await;
    let key = ConversationKey::Group(group);
    let (rude, _) = w.say(&bob, key, "rude", long_ago).await;
    refused(messages.recall(&bob, rude).await, ErrorCode::RecallExpired);
    refused(
        messages.recall(&carol, rude).await,
        ErrorCode::MessageNotFound,
    );
    let recalled = messages.recall(&alice, rude).await.unwrap();
    // Its sender asks too late, but it is recalled: the first answer.
    assert_eq!(messages.recall(&bob, rude).await.unwrap(), recalled);
    w.im.groups().join(&carol, group).await.unwrap();
    refused(
        messages.recall(&carol, rude).await,
        ErrorCode::MessageNotFound,
    );
    let (mine, _) = w.say_now(&bob, key, "mine").await;
    refused(messages.recall(&carol, mine).await, ErrorCode::Forbidden);
    w.im.groups().leave(&bob, group).await.unwrap();
    refused(messages.recall(&bob, mine).await, ErrorCode::NotMember);
    // An event is no message.
    let events = w
        .store
        .history_page(
            &key.to_string(),
            (1, 1),
            lingxi_store::Bounds {
                rows: 1,
                bytes: usize::MAX,
            },
            true,
            false,
        )
        .await
        .unwrap()
        .entries;
    refused(
        messages.recall(&alice, events[0].id).await,
        ErrorCode::MessageNotFound,
    );
}

#[tokio::test]
async fn a_recall_by_a_tool_is_done_once() {
    let w = World::new().await;
    let (alice, bob) = (w.user("alice").await, w.user("bob").await);
    let (id, _) = w.say_now(&alice, direct(&alice, &bob), "oops").await;
    let tool = w.by_tool(&alice, "r1").await;
    let first = w.im.messages().recall(&tool, id).await.unwrap();
    assert_eq!(w.im.messages().recall(&tool, id).await.unwrap(), first);
}
