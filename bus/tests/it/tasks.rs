//! The tasks of a bus belong to the process, which waits for all of them at its end. A listener's panic is its own.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lingxi_bus::local::LocalBus;
use lingxi_bus::nats::NatsBus;
use lingxi_bus::{Lane, Message, SharedBus, Sink, Subject, conformance};
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

struct Broken;

impl Sink for Broken {
    fn deliver(&self, _: &Subject, _: Message) {
        panic!("on purpose");
    }
}

struct Sound(mpsc::Sender<()>);

impl Sink for Sound {
    fn deliver(&self, _: &Subject, _: Message) {
        let _ = self.0.try_send(());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_that_panics_silences_nobody() {
    let options = conformance::nats::fresh_options();
    let shutdown = Shutdown::new();
    let bus = NatsBus::within(&shutdown, options.clone()).await.unwrap();
    let (heard, mut hears) = mpsc::channel(8);
    let subjects = [Subject::User(7), Subject::User(8)];
    let sinks: [Arc<dyn Sink>; 2] = [Arc::new(Broken), Arc::new(Sound(heard))];
    let mut subscriptions = Vec::new();
    for (subject, sink) in subjects.iter().zip(sinks) {
        subscriptions.push(bus.subscribe(subject.clone(), None, sink).await.unwrap());
    }
    for _ in 0..2 {
        for subject in &subjects {
            bus.publish(subject, Bytes::from_static(b"x"))
                .await
                .unwrap();
        }
        let next = tokio::time::timeout(SOON, hears.recv()).await;
        next.expect("the other listener hears").unwrap();
    }
    assert_eq!(shutdown.failed(), None);
    conformance::nats::remove(&options).await;
}
