//! The buses keep the promises of every bus; the one on NATS keeps them when its server goes away.
#![allow(
    clippy::disallowed_methods,
    reason = "a test's tasks end with its runtime"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test panics where a promise is broken, also in what its cases share"
)]

mod away;
mod log;
mod queue;
mod server;
mod setup;
mod tasks;
mod versions;

use lingxi_bus::conformance;
use lingxi_bus::local::LocalBus;

#[tokio::test]
async fn the_local_bus_conforms() {
    conformance::run(LocalBus::shared(64)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_nats_bus_conforms() {
    let (bus, options) = conformance::nats::fresh().await;
    conformance::run(bus).await;
    conformance::nats::remove(&options).await;
}
