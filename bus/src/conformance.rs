//! What every bus must do, run against each implementation.

#![allow(
    clippy::unwrap_used,
    reason = "a conformance suite is a test: it panics where a promise is broken"
)]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::{Lane, LogEntry, Message, NoReply, SharedBus, Sink, Subject};

const SOON: Duration = Duration::from_secs(5);
/// Long enough to see that nothing comes, where a later message proves that it would have come before.
const REPLY: Duration = Duration::from_millis(200);

/// Collects what it is given; answers requests with what they said when told to.
struct Collector {
    seen: mpsc::UnboundedSender<Bytes>,
    answers: bool,
}

impl Sink for Collector {
    fn deliver(&self, _: &Subject, message: Message) {
        let _ = self.seen.send(message.payload.clone());
        if let (true, Some(reply)) = (self.answers, message.reply) {
            reply.reply(message.payload);
        }
    }
}

fn collector(answers: bool) -> (Arc<Collector>, mpsc::UnboundedReceiver<Bytes>) {
    let (seen, received) = mpsc::unbounded_channel();
    (Arc::new(Collector { seen, answers }), received)
}

async fn next<T>(receiver: &mut mpsc::UnboundedReceiver<T>) -> T {
    timeout(SOON, receiver.recv()).await.unwrap().unwrap()
}

/// Runs the whole suite against a bus with at least four partitions and an empty log.
///
/// # Panics
/// Where a promise is broken.
pub async fn run(bus: SharedBus) {
    live_in_order(&bus).await;
    requests(&bus).await;
    groups(&bus).await;
    log_by_position(&bus).await;
    log_purged(&bus).await;
    queues(&bus).await;
}

async fn live_in_order(bus: &SharedBus) {
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

async fn requests(bus: &SharedBus) {
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

async fn groups(bus: &SharedBus) {
    let (a, mut seen_a) = collector(false);
    let (b, mut seen_b) = collector(false);
    let (all, mut seen_all) = collector(false);
    let _a = bus
        .subscribe(Subject::Cursors, Some("workers"), a)
        .await
        .unwrap();
    let _b = bus
        .subscribe(Subject::Cursors, Some("workers"), b)
        .await
        .unwrap();
    let _all = bus.subscribe(Subject::Cursors, None, all).await.unwrap();
    for n in 0..60 {
        bus.publish(&Subject::Cursors, n.to_string().into())
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

async fn read(entries: &mut mpsc::Receiver<LogEntry>) -> (u64, String) {
    let entry = timeout(SOON, entries.recv()).await.unwrap().unwrap();
    (
        entry.position,
        String::from_utf8(entry.payload.to_vec()).unwrap(),
    )
}

async fn log_by_position(bus: &SharedBus) {
    let info = bus.log_info().await.unwrap();
    assert_eq!(info.last, 0);
    let mut positions = Vec::new();
    for n in 0..10 {
        bus.append(3, format!("other {n}").into()).await.unwrap();
        positions.push(bus.append(2, n.to_string().into()).await.unwrap());
    }
    assert!(positions.windows(2).all(|w| w[0] < w[1]), "{positions:?}");
    let after = bus.log_info().await.unwrap();
    assert_eq!((after.created, after.last), (info.created, positions[9]));

    let (out, mut entries) = mpsc::channel(4);
    let reader = bus.read_log(2, positions[3], out).await.unwrap();
    for (n, position) in positions.iter().enumerate().skip(4) {
        assert_eq!(
            read(&mut entries).await,
            (*position, n.to_string()),
            "from behind the position, in order"
        );
    }
    let live = bus.append(2, "live".into()).await.unwrap();
    assert_eq!(read(&mut entries).await, (live, "live".into()));

    let (out, mut again) = mpsc::channel(64);
    let _again = bus.read_log(2, 0, out).await.unwrap();
    for (n, position) in positions.iter().enumerate() {
        assert_eq!(
            read(&mut again).await,
            (*position, n.to_string()),
            "as often as wanted"
        );
    }
    drop(reader);
    assert_eq!(
        timeout(SOON, entries.recv())
            .await
            .unwrap()
            .map(|e| e.position),
        None,
        "a dropped reader ends"
    );
}

async fn log_purged(bus: &SharedBus) {
    let first = bus.append(1, "a".into()).await.unwrap();
    let second = bus.append(1, "b".into()).await.unwrap();
    bus.purge_log(1, first).await.unwrap();
    let (out, mut entries) = mpsc::channel(4);
    let _reader = bus.read_log(1, 0, out).await.unwrap();
    assert_eq!(
        read(&mut entries).await,
        (second, "b".into()),
        "the purged entry is gone, the other is not"
    );
}

async fn queues(bus: &SharedBus) {
    let take = || timeout(SOON, bus.dequeue(&Lane::ALL));
    bus.enqueue(Lane::Batch, "slow".into()).await.unwrap();
    bus.enqueue(Lane::Interactive, "quick".into())
        .await
        .unwrap();
    let quick = take().await.unwrap().unwrap();
    assert_eq!(
        (quick.lane, &quick.payload[..]),
        (Lane::Interactive, &b"quick"[..]),
        "the urgent lane goes first"
    );
    let slow = take().await.unwrap().unwrap();
    assert_eq!(slow.payload, "slow");
    drop(quick);
    let again = take().await.unwrap().unwrap();
    assert_eq!(again.payload, "quick", "a dropped job is given out again");
    again.done();
    slow.done();
    let waiting = tokio::spawn({
        let bus = bus.clone();
        async move { bus.dequeue(&[Lane::Batch]).await.unwrap().payload }
    });
    bus.enqueue(Lane::Interactive, "not for it".into())
        .await
        .unwrap();
    bus.enqueue(Lane::Batch, "late".into()).await.unwrap();
    assert_eq!(
        timeout(SOON, waiting).await.unwrap().unwrap(),
        "late",
        "a waiter wakes for its own lane"
    );
    let left = take().await.unwrap().unwrap();
    assert_eq!(left.payload, "not for it");
    left.done();
}
