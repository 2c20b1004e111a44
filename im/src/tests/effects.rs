use super::*;

fn new_group() -> crate::NewGroup {
    crate::NewGroup {
        name: "once".into(),
        max_count: None,
        announcement: None,
    }
}

#[tokio::test]
async fn an_effect_again_does_nothing_and_answers_the_same() {
    let w = World::new().await;
    let (alice, bob) = (w.user("alice").await, w.user("bob").await);
    let ear = w.listen(&alice).await;
    let tool = w.by_tool(&alice, "r1").await;
    let first = w.im.groups().create(&tool, &new_group()).await.unwrap();
    let again = w.im.groups().create(&tool, &new_group()).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(w.im.groups().mine(alice.user_id).await.unwrap().len(), 1);
    assert_eq!(ear.frames().len(), 1, "pushed once");

    let tool = w.by_tool(&alice, "r2").await;
    let first = w.im.groups().invite(&tool, first.id, "bob").await.unwrap();
    // Whatever has happened since: it was done, and it answers what it did.
    w.im.groups().leave(&bob, first.group_id).await.unwrap();
    let again =
        w.im.groups()
            .invite(&tool, first.group_id, "bob")
            .await
            .unwrap();
    assert_eq!(first, again);
    assert_eq!(w.log(&first.conversation).await.len(), 3);

    let tool = w.by_tool(&alice, "r3").await;
    w.im.contacts().add(&tool, "bob", None).await.unwrap();
    w.im.contacts().delete(&alice, "bob").await.unwrap();
    w.im.contacts().add(&tool, "bob", None).await.unwrap();
    assert!(
        w.im.contacts()
            .list(alice.user_id)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn many_at_once_are_one_effect() {
    let w = World::new().await;
    let alice = w.user("alice").await;
    let tool = w.by_tool(&alice, "r1").await;
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (im, tool) = (w.im.clone(), tool.clone());
        tries.spawn(async move { im.groups().create(&tool, &new_group()).await.unwrap().id });
    }
    let mut made: Vec<i64> = tries.join_all().await;
    made.dedup();
    assert_eq!(made.len(), 1, "{made:?}");
}

#[tokio::test]
async fn who_lost_the_run_does_nothing() {
    let w = World::new().await;
    let alice = w.user("alice").await;
    let mut tool = w.by_tool(&alice, "r1").await;
    tool.effect.as_mut().unwrap().attempt = 7;
    let fenced = w.im.groups().create(&tool, &new_group()).await.unwrap_err();
    assert_eq!(fenced, Error::Fenced);
    assert!(w.im.groups().mine(alice.user_id).await.unwrap().is_empty());
    // A refusal is not recorded: the group may be there when it is tried again.
    tool.effect.as_mut().unwrap().attempt = 1;
    refused(w.im.groups().join(&tool, 1).await, ErrorCode::GroupNotFound);
    let bob = w.user("bob").await;
    assert_eq!(w.group(&[&bob]).await, 1);
    w.im.groups().join(&tool, 1).await.unwrap();
}
