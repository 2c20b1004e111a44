//! Redis stopped, killed and emptied under a cache that goes on.

use std::time::{Duration, Instant};

use lingxi_cache::redis::{Guarded, Options};
use lingxi_cache::{Backoff, Cache, Decision, Rate};
use lingxi_testing::until;
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::server::Server;

const LONG: Duration = Duration::from_secs(60);
const ONE: Rate = Rate {
    burst: 1,
    per_second: 0.001,
};

const SLOWED: Backoff = Backoff {
    free: 3,
    first: LONG,
    longest: LONG,
    memory: LONG,
};

async fn node(server: &Server) -> Guarded {
    let options = Options::parse(&server.url(), "lingxi").unwrap();
    Guarded::connect(options).await.unwrap()
}

async fn back(nodes: &[&Guarded]) {
    until("Redis is in use again", async || {
        nodes.iter().all(|node| node.status().is_ok())
    })
    .await;
}

async fn everything(cache: &Guarded) {
    cache.refresh_presence("n", &[1], LONG).await.unwrap();
    cache.clear_presence("n", &[7]).await.unwrap();
    cache.online(&[1]).await.unwrap();
    cache.online_count().await.unwrap();
    cache.take("t", Rate::per_minute(600), 1).await.unwrap();
    cache
        .take_upto("t", Rate::per_minute(600), 2)
        .await
        .unwrap();
    cache.attempt("a", SLOWED).await.unwrap();
    cache.release("a").await.unwrap();
    cache.count("c", LONG).await.unwrap();
    cache.counted("c").await.unwrap();
    cache.get("v").await.unwrap();
    cache.put("v", "1", LONG).await.unwrap();
    cache.forget("v").await.unwrap();
}

#[tokio::test]
async fn a_stopped_server_costs_one_timeout_and_then_nothing() {
    let handle = PrometheusBuilder::new().install_recorder().unwrap();
    let server = Server::start(&[]);
    let cache = node(&server).await;
    everything(&cache).await;
    until("the gauge says so", async || {
        handle.render().contains("lingxi_cache_available 1")
    })
    .await;

    server.process().pause().await;
    let start = Instant::now();
    everything(&cache).await;
    let first = start.elapsed();
    assert!(first < Duration::from_millis(800), "{first:?}");
    let start = Instant::now();
    for _ in 0..100 {
        everything(&cache).await;
    }
    let rest = start.elapsed();
    assert!(rest < Duration::from_millis(400), "{rest:?}");
    assert!(cache.status().is_err());
    until("the gauge says so", async || {
        handle.render().contains("lingxi_cache_available 0")
    })
    .await;
    // Through several probes and attempts to connect.
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(3) {
        let call = Instant::now();
        cache.take("t", Rate::per_minute(600), 1).await.unwrap();
        let took = call.elapsed();
        assert!(took < Duration::from_millis(100), "{took:?}");
        tokio::task::yield_now().await;
    }

    server.process().wake();
    back(&[&cache]).await;
    until("the gauge says so", async || {
        handle.render().contains("lingxi_cache_available 1")
    })
    .await;
}

#[tokio::test]
async fn limits_hold_on_each_node_and_are_shared_again_afterwards() {
    let mut server = Server::start(&[]);
    let (a, b) = (node(&server).await, node(&server).await);
    assert_eq!(a.take("k", ONE, 1).await.unwrap(), Decision::Allowed);
    assert_ne!(b.take("k", ONE, 1).await.unwrap(), Decision::Allowed);
    assert_eq!(a.take_upto("k", ONE, 9).await.unwrap(), 0);
    for _ in 0..2 {
        let attempt = a.attempt("guess", SLOWED).await.unwrap();
        assert_eq!(attempt, Decision::Allowed);
    }
    for failures in 1..=4 {
        assert_eq!(a.count("login", LONG).await.unwrap(), failures);
    }

    server.process().kill9().await;
    for node in [&a, &b] {
        assert_eq!(node.take("away", ONE, 1).await.unwrap(), Decision::Allowed);
        assert_ne!(node.take("away", ONE, 1).await.unwrap(), Decision::Allowed);
    }
    assert_eq!(
        a.count("login", LONG).await.unwrap(),
        5,
        "a lock-out goes on"
    );
    assert_eq!(a.counted("login").await.unwrap(), 5);
    let third = a.attempt("guess", SLOWED).await.unwrap();
    assert_eq!(third, Decision::Allowed);
    let fourth = a.attempt("guess", SLOWED).await.unwrap();
    assert_ne!(fourth, Decision::Allowed, "attempts go on being counted");

    server.restart();
    back(&[&a, &b]).await;
    assert_eq!(b.take("k", ONE, 1).await.unwrap(), Decision::Allowed);
    assert_ne!(a.take("k", ONE, 1).await.unwrap(), Decision::Allowed);
    a.count("again", LONG).await.unwrap();
    assert_eq!(b.counted("again").await.unwrap(), 1);
}

#[tokio::test]
async fn presence_is_remembered_through_an_outage_and_told_again_after_it() {
    let mut server = Server::start(&[]);
    let (a, b) = (node(&server).await, node(&server).await);
    a.refresh_presence("a", &[1, 2], LONG).await.unwrap();
    b.refresh_presence("b", &[3], LONG).await.unwrap();
    assert_eq!(
        b.online(&[1, 2, 3, 4]).await.unwrap(),
        [true, true, true, false]
    );
    assert_eq!(b.online_count().await.unwrap(), 3);

    server.process().kill9().await;
    assert_eq!(
        b.online(&[1, 3, 4]).await.unwrap(),
        [true, true, false],
        "what was last known, and its own"
    );
    assert_eq!(b.online_count().await.unwrap(), 3);
    assert_eq!(a.online(&[3]).await.unwrap(), [false], "nobody told it");
    a.clear_presence("a", &[2]).await.unwrap();
    b.refresh_presence("b", &[5], LONG).await.unwrap();

    server.restart();
    back(&[&a, &b]).await;
    for node in [&a, &b] {
        assert_eq!(
            node.online(&[1, 2, 3, 4, 5]).await.unwrap(),
            [true, false, true, false, true],
            "although Redis came back empty and nobody has refreshed"
        );
    }
}

#[tokio::test]
async fn what_was_to_be_forgotten_meanwhile_is() {
    let server = Server::start(&[]);
    let (a, b) = (node(&server).await, node(&server).await);
    a.count("login", LONG).await.unwrap();
    a.put("name", "old", LONG).await.unwrap();
    server.process().pause().await;
    a.forget("login").await.unwrap();
    a.forget("name").await.unwrap();
    assert_eq!(a.get("name").await.unwrap(), None, "a miss");
    a.put("name", "lost", LONG).await.unwrap();
    server.process().wake();
    back(&[&a, &b]).await;
    assert_eq!(b.counted("login").await.unwrap(), 0);
    assert_eq!(b.get("name").await.unwrap(), None);
}
