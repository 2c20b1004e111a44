use lingxi_domain::limits;

use super::*;

#[tokio::test]
async fn a_message_is_edited_for_fifteen_minutes_and_keeps_its_first_hash() {
    let w = World::new().await;
    let (alice, bob) = (w.user("alice").await, w.user("bob").await);
    let key = direct(&alice, &bob);
    let late = now_ms() - limits::EDIT_WINDOW_MS - 1;
    let (old, _) = w.say(&alice, key, "old", late).await;
    let (new, _) = w.say(&alice, key, "new", late + 10_000).await;
    let messages = w.im.messages();
    refused(
        messages.edit(&alice, old, "older").await,
        ErrorCode::EditExpired,
    );
    messages.edit(&alice, new, "newer").await.unwrap();
    // The same text needs no time.
    messages.edit(&alice, old, "old").await.unwrap();
    let conversation = key.to_string();
    let identity = [(conversation.as_str(), alice.user_id, "new")];
    let mut tx = w.store.begin().await.unwrap();
    let repeats = tx.find_repeats(&identity).await.unwrap();
    assert_eq!(
        repeats[0].content,
        Some(lingxi_domain::content_hash("new")),
        "what it was sent with decides what is a repeat"
    );
    drop(tx);
    let kinds: Vec<_> = w
        .log(&conversation)
        .await
        .into_iter()
        .map(|(_, kind)| kind)
        .collect();
    use EntryKind::{Edited, Message};
    assert_eq!(kinds, [Message, Message, Edited]);
}

#[tokio::test]
async fn an_effect_of_an_edit_is_done_once() {
    let w = World::new().await;
    let (alice, bob) = (w.user("alice").await, w.user("bob").await);
    let (id, _) = w.say_now(&alice, direct(&alice, &bob), "one").await;
    let by_tool = w.by_tool(&alice, "run").await;
    let messages = w.im.messages();
    messages.edit(&by_tool, id, "two").await.unwrap();
    messages.edit(&alice, id, "three").await.unwrap();
    messages.edit(&by_tool, id, "two").await.unwrap();
    let kept = w.store.entry(id).await.unwrap().unwrap();
    assert_eq!(kept.content, "three", "the call was done before");
}
