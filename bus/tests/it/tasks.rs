//! The tasks of a bus belong to the process: it hears of one that fails, and waits for all of them at its end.

use std::time::Duration;

use bytes::Bytes;
use lingxi_bus::local::LocalBus;
use lingxi_bus::nats::NatsBus;
use lingxi_bus::{Lane, SharedBus, conformance};
use lingxi_runtime::shutdown::Shutdown;
use tokio::sync::mpsc;

/// What must happen happens within this.
const SOON: Duration = Duration::from_secs(10);

/// With a reader that waits, a job in somebody's hands and somebody who waits for another.
async fn ends(bus: SharedBus, shutdown: &Shutdown) {
    let (out, _entries) = mpsc::channel(1);
    let _reader = bus.read_log(0, 0, 1, out).await.unwrap();
    bus.enqueue(Lane::Interactive, Bytes::new()).await.unwrap();
    let job = bus.dequeue(&Lane::ALL).await.unwrap();
    job.done();
    shutdown.trigger();
    bus.close();
    shutdown.wait_all(SOON).await.expect("its tasks end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bus_that_is_closed_leaves_no_task() {
    let options = conformance::nats::fresh_options();
    let shutdown = Shutdown::new();
    let bus = NatsBus::within(&shutdown, options.clone()).await.unwrap();
    ends(bus, &shutdown).await;
    conformance::nats::remove(&options).await;

    let shutdown = Shutdown::new();
    ends(LocalBus::within(&shutdown, 4), &shutdown).await;
}
