//! Jobs of workers that die, and of those that take long.

use std::time::{Duration, Instant};

use lingxi_bus::nats::NatsBus;
use lingxi_bus::{Lane, conformance};
use tokio::time::timeout;

use crate::server::{Server, lost};

/// Longer than the server waits for a word from a worker.
const SILENT: Duration = Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_stays_with_a_slow_worker_and_leaves_a_dead_one() {
    let (here, options) = conformance::nats::fresh().await;
    here.enqueue(Lane::Interactive, "job".into()).await.unwrap();
    let process = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let there = options.clone();
    let (job, bus) = process
        .spawn(async move {
            let bus = NatsBus::connect(there).await.unwrap();
            (bus.dequeue(&Lane::ALL).await.unwrap(), bus)
        })
        .await
        .unwrap();
    let given = timeout(SILENT, here.dequeue(&Lane::ALL)).await;
    assert!(given.is_err(), "its worker says that it is at it");
    // As kill -9 does: nothing is said any more, and nothing is given back.
    std::mem::forget((job, bus));
    process.shutdown_background();
    let died = Instant::now();
    let again = timeout(Duration::from_secs(10), here.dequeue(&Lane::ALL))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(again.payload, "job");
    assert!(
        died.elapsed() < Duration::from_secs(5),
        "{:?}",
        died.elapsed()
    );
    again.done();
    let more = timeout(SILENT, here.dequeue(&Lane::ALL)).await;
    assert!(more.is_err(), "what is done stays done");
    conformance::nats::remove(&options).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_worker_survives_restarts() {
    let mut server = Server::start();
    let bus = server.bus().await;
    for empty in [false, true] {
        let mut losses = bus.losses();
        losses.mark_unchanged();
        let waiting = tokio::spawn({
            let bus = bus.clone();
            async move { bus.dequeue(&Lane::ALL).await.unwrap() }
        });
        server.process().kill9().await;
        if empty {
            server.start_again_empty();
        } else {
            server.start_again();
        }
        lost(&mut losses).await;
        bus.enqueue(Lane::Batch, "job".into()).await.unwrap();
        let began = Instant::now();
        let job = timeout(Duration::from_secs(10), waiting)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(job.payload, "job");
        assert!(
            began.elapsed() < Duration::from_secs(2),
            "{:?}",
            began.elapsed()
        );
        job.done();
    }
}
