//! Work queues.

use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::SOON;
use crate::{Lane, SharedBus};

/// How soon a job comes that nobody holds.
const PROMPT: Duration = Duration::from_secs(2);

pub(super) async fn queues(bus: &SharedBus) {
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
        async move { bus.dequeue(&[Lane::Batch]).await.unwrap() }
    });
    bus.enqueue(Lane::Interactive, "not for it".into())
        .await
        .unwrap();
    bus.enqueue(Lane::Batch, "late".into()).await.unwrap();
    let late = timeout(SOON, waiting).await.unwrap().unwrap();
    assert_eq!(late.payload, "late", "a waiter wakes for its own lane");
    late.done();
    let left = take().await.unwrap().unwrap();
    assert_eq!(left.payload, "not for it");
    left.done();
}

pub(super) async fn abandoned_waits(bus: &SharedBus) {
    for _ in 0..3 {
        let waiting = tokio::spawn({
            let bus = bus.clone();
            async move { bus.dequeue(&Lane::ALL).await.map(drop) }
        });
        // It waits by the time a job has gone through another call.
        bus.enqueue(Lane::Batch, "first".into()).await.unwrap();
        timeout(SOON, waiting).await.unwrap().unwrap().unwrap();
        let first = timeout(SOON, bus.dequeue(&Lane::ALL))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(first.payload, "first", "dropped, so given out again");
        first.done();
        let waiting = timeout(Duration::from_millis(50), bus.dequeue(&Lane::ALL)).await;
        assert!(waiting.is_err(), "nothing is left");
        let enqueued = Instant::now();
        bus.enqueue(Lane::Interactive, "second".into())
            .await
            .unwrap();
        let second = timeout(SOON, bus.dequeue(&Lane::ALL))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(second.payload, "second");
        assert!(
            enqueued.elapsed() < PROMPT,
            "who no longer waits keeps no job: {:?}",
            enqueued.elapsed()
        );
        second.done();
    }
}

pub(super) async fn shared_out(bus: &SharedBus) {
    const COUNT: usize = 40;
    let mut workers = Vec::new();
    for _ in 0..4 {
        let bus = bus.clone();
        workers.push(tokio::spawn(async move {
            let mut got = Vec::new();
            for _ in 0..COUNT / 4 {
                let job = bus.dequeue(&Lane::ALL).await.unwrap();
                got.push(String::from_utf8(job.payload.to_vec()).unwrap());
                job.done();
            }
            got
        }));
    }
    for n in 0..COUNT {
        let lane = Lane::ALL[n % 2];
        bus.enqueue(lane, n.to_string().into()).await.unwrap();
    }
    let mut got = Vec::new();
    for worker in workers {
        got.extend(timeout(SOON * 2, worker).await.unwrap().unwrap());
    }
    got.sort_unstable_by_key(|n| n.parse::<usize>().unwrap());
    let all: Vec<String> = (0..COUNT).map(|n| n.to_string()).collect();
    assert_eq!(got, all, "each job once");
}
