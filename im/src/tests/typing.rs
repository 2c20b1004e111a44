//! Who is told that somebody is typing.

use lingxi_domain::frame::client::Recipient;
use lingxi_domain::role::GroupRole;

use super::*;

fn typing(frames: Vec<(Value, String, Seq)>) -> usize {
    let typing = frames.iter().filter(|(frame, _, _)| frame["type"] == 9);
    typing.count()
}

#[tokio::test]
async fn the_others_are_told_once_in_a_while() {
    let w = World::new().await;
    let (alice, bob, carol) = (
        w.user("alice").await,
        w.user("bob").await,
        w.user("carol").await,
    );
    let group = w.group(&[&alice, &bob]).await;
    let (a, b, c) = (
        w.listen(&alice).await,
        w.listen(&bob).await,
        w.listen(&carol).await,
    );
    for _ in 0..20 {
        w.im.typing(&alice, Recipient::User("BOB".into())).await;
        w.im.typing(&alice, Recipient::Group(group)).await;
        // Strangers, nobody, and nothing.
        w.im.typing(&carol, Recipient::Group(group)).await;
        w.im.typing(&carol, Recipient::Group(group + 1)).await;
        w.im.typing(&carol, Recipient::User("nobody".into())).await;
    }
    assert_eq!(typing(b.frames()), 2, "one for each conversation");
    assert_eq!(typing(a.frames()), 0);
    assert_eq!(typing(c.frames()), 0);
    w.im.typing(&bob, Recipient::User("alice".into())).await;
    let frames = a.frames();
    assert_eq!(
        (frames[0].0["from"].as_str(), frames[0].1.as_str()),
        (Some("bob"), "")
    );
}

#[tokio::test]
async fn in_a_large_group_nobody_is_told() {
    let w = World::new().await;
    let (alice, bob) = (w.user("alice").await, w.user("bob").await);
    let group = w.group(&[&alice, &bob]).await;
    let rows: Vec<_> = (0..199)
        .map(|number| (1_000_000 + number, GroupRole::Member))
        .collect();
    let mut tx = w.store.begin().await.unwrap();
    let key = format!("g:{group}");
    tx.add_members(&key, &rows, 1, now_ms()).await.unwrap();
    tx.commit().await.unwrap();
    let b = w.listen(&bob).await;
    w.im.typing(&alice, Recipient::Group(group)).await;
    assert_eq!(typing(b.frames()), 0, "201 members");
}
