//! Live subjects.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::{REPLY, SOON, collector, next};
use crate::{Message, NoReply, SharedBus, Sink, Subject};

/// Subscriptions that are made at the same time.
const MANY: i64 = 1000;

pub(super) async fn live_in_order(bus: &SharedBus) {
    let (sink, mut seen) = collector(false);
    let (other, mut seen_by_other) = collector(false);
    bus.publish(&Subject::User(1), "before".into())
        .await
        .unwrap();
    let subscription = bus
        .subscribe(Subject::User(1), None, sink.clone())
        .await
        .unwrap();
    let _other = bus.subscribe(Subject::User(2), None, other).await.unwrap();
    for n in 0..100 {
        bus.publish(&Subject::User(1), n.to_string().into())
            .await
            .unwrap();
    }
    bus.publish(&Subject::User(2), "two".into()).await.unwrap();
    for n in 0..100 {
        assert_eq!(
            next(&mut seen).await,
            n.to_string(),
            "in order, and nothing from before"
        );
    }
    assert_eq!(next(&mut seen_by_other).await, "two", "subjects are apart");
    drop(subscription);
    let again = bus
        .subscribe(Subject::User(1), None, sink.clone())
        .await
        .unwrap();
    let (second, mut seen_by_second) = collector(false);
    let _second = bus.subscribe(Subject::User(1), None, second).await.unwrap();
    bus.publish(&Subject::User(1), "both".into()).await.unwrap();
    assert_eq!(next(&mut seen).await, "both");
    assert_eq!(next(&mut seen_by_second).await, "both");
    drop(again);
    bus.flush().await.unwrap();
}

pub(super) async fn requests(bus: &SharedBus) {
    let subject = Subject::User(10);
    let nobody = bus.request(&subject, "x".into(), SOON).await.unwrap();
    assert_eq!(
        nobody.wait().await,
        Err(NoReply::NoResponders),
        "known at once, long before the timeout"
    );

    let (silent, mut seen) = collector(false);
    let subscription = bus.subscribe(subject.clone(), None, silent).await.unwrap();
    let pending = bus.request(&subject, "x".into(), REPLY).await.unwrap();
    assert_eq!(next(&mut seen).await, "x");
    assert_eq!(pending.wait().await, Err(NoReply::Timeout));
    drop(subscription);

    let (answering, mut seen) = collector(true);
    let _subscription = bus
        .subscribe(subject.clone(), None, answering)
        .await
        .unwrap();
    let mut pending = Vec::new();
    for n in 0..50 {
        pending.push(
            bus.request(&subject, n.to_string().into(), SOON)
                .await
                .unwrap(),
        );
        bus.publish(&subject, format!("p{n}").into()).await.unwrap();
    }
    for n in 0..50 {
        assert_eq!(
            next(&mut seen).await,
            n.to_string(),
            "requests and publishes keep their order"
        );
        assert_eq!(next(&mut seen).await, format!("p{n}"));
    }
    for (n, reply) in pending.into_iter().enumerate() {
        assert_eq!(
            reply.wait().await.unwrap(),
            n.to_string(),
            "each answer finds its request"
        );
    }
}

pub(super) async fn groups(bus: &SharedBus) {
    let (a, mut seen_a) = collector(false);
    let (b, mut seen_b) = collector(false);
    let (all, mut seen_all) = collector(false);
    let _a = bus
        .subscribe(Subject::Leases, Some("workers"), a)
        .await
        .unwrap();
    let _b = bus
        .subscribe(Subject::Leases, Some("workers"), b)
        .await
        .unwrap();
    let _all = bus.subscribe(Subject::Leases, None, all).await.unwrap();
    for n in 0..60 {
        bus.publish(&Subject::Leases, n.to_string().into())
            .await
            .unwrap();
    }
    for n in 0..60 {
        assert_eq!(next(&mut seen_all).await, n.to_string());
    }
    let mut by_group = Vec::new();
    while by_group.len() < 60 {
        let seen = timeout(SOON, async {
            tokio::select! { Some(m) = seen_a.recv() => m, Some(m) = seen_b.recv() => m }
        });
        by_group.push(String::from_utf8(seen.await.unwrap().to_vec()).unwrap());
    }
    by_group.sort_unstable_by_key(|n| n.parse::<u32>().unwrap());
    assert!(
        by_group
            .iter()
            .enumerate()
            .all(|(n, seen)| *seen == n.to_string()),
        "each once: {by_group:?}"
    );
}

/// Takes a request and forgets it.
struct Forgetful;

impl Sink for Forgetful {
    fn deliver(&self, _: &Subject, message: Message) {
        drop(message);
    }
}

pub(super) async fn given_up(bus: &SharedBus) {
    let subject = Subject::User(11);
    let subscription = bus
        .subscribe(subject.clone(), None, Arc::new(Forgetful))
        .await
        .unwrap();
    let asked = Instant::now();
    let pending = bus.request(&subject, "x".into(), SOON).await.unwrap();
    assert_eq!(pending.wait().await, Err(NoReply::Timeout));
    assert!(
        asked.elapsed() < SOON / 4,
        "a dropped request is known long before the timeout"
    );
    drop(subscription);
}

pub(super) async fn subscribed_at_once(bus: &SharedBus) {
    let (sink, mut seen) = collector(false);
    let mut subscribing = Vec::new();
    for user in 0..MANY {
        let (bus, sink) = (bus.clone(), sink.clone());
        subscribing.push(tokio::spawn(async move {
            let subject = Subject::User(1000 + user);
            let subscription = bus.subscribe(subject.clone(), None, sink).await.unwrap();
            bus.publish(&subject, user.to_string().into())
                .await
                .unwrap();
            subscription
        }));
    }
    let mut subscriptions = Vec::new();
    for subscribing in subscribing {
        subscriptions.push(timeout(SOON * 2, subscribing).await.unwrap().unwrap());
    }
    let mut got = Vec::new();
    for _ in 0..MANY {
        let user = next(&mut seen).await;
        got.push(std::str::from_utf8(&user).unwrap().parse::<i64>().unwrap());
    }
    got.sort_unstable();
    assert!(
        got.into_iter().eq(0..MANY),
        "nothing published after a subscribe is missed"
    );
    drop(subscriptions);
    for user in [0, MANY - 1] {
        // A subscription that was dropped is noticed by the server a moment later, or at once.
        let deadline = Instant::now() + SOON;
        loop {
            let subject = Subject::User(1000 + user);
            let pending = bus
                .request(&subject, "x".into(), Duration::from_secs(1))
                .await;
            if pending.unwrap().wait().await == Err(NoReply::NoResponders) {
                break;
            }
            assert!(Instant::now() < deadline, "a dropped subscription ends");
        }
    }
}
