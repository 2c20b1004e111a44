use std::time::Duration;

use super::*;

#[tokio::test]
async fn contacts_come_and_go() {
    let w = World::new().await;
    let (alice, bob) = (w.user("alice").await, w.user("Bob").await);
    w.user("carol").await;
    let contacts = w.im.contacts();
    let saved = contacts
        .add(&alice, "BOB", Some("the builder"))
        .await
        .unwrap();
    assert_eq!((saved.id, saved.username.as_str()), (bob.user_id, "Bob"));
    contacts.add(&alice, "carol", None).await.unwrap();
    w.cache
        .refresh_presence("test", &[bob.user_id], Duration::from_secs(60))
        .await
        .unwrap();
    let list = contacts.list(alice.user_id).await.unwrap();
    let seen: Vec<_> = list
        .iter()
        .map(|c| (c.username.as_str(), c.remark.as_str(), c.online))
        .collect();
    assert_eq!(seen, [("Bob", "the builder", true), ("carol", "", false)]);
    assert!(contacts.list(bob.user_id).await.unwrap().is_empty());

    // Again changes the remark, and only where there is a new one.
    contacts.add(&alice, "bob", Some("bobby")).await.unwrap();
    contacts.add(&alice, "bob", None).await.unwrap();
    let list = contacts.list(alice.user_id).await.unwrap();
    assert_eq!((list.len(), list[0].remark.as_str()), (2, "bobby"));

    contacts.delete(&alice, "bob").await.unwrap();
    refused(
        contacts.delete(&alice, "bob").await,
        ErrorCode::ContactNotFound,
    );
    refused(
        contacts.add(&alice, "nobody", None).await,
        ErrorCode::UserNotFound,
    );
    refused(
        contacts.add(&alice, "Alice", None).await,
        ErrorCode::InvalidRequest,
    );
    refused(
        contacts.add(&alice, "bob", Some(&"x".repeat(513))).await,
        ErrorCode::InvalidRequest,
    );
}
