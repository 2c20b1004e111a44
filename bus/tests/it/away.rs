//! Live messages when the server goes away and comes back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use lingxi_bus::nats::{NatsBus, Options};
use lingxi_bus::{Error, Message, NoReply, SharedBus, Sink, Subject, conformance};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::server::{Server, lost};

const SOON: Duration = Duration::from_secs(5);

struct Collector(mpsc::UnboundedSender<Bytes>);

impl Sink for Collector {
    fn deliver(&self, _: &Subject, message: Message) {
        let _ = self.0.send(message.payload);
    }
}

fn collector() -> (Arc<Collector>, mpsc::UnboundedReceiver<Bytes>) {
    let (sender, received) = mpsc::unbounded_channel();
    (Arc::new(Collector(sender)), received)
}

async fn next(seen: &mut mpsc::UnboundedReceiver<Bytes>) -> Bytes {
    timeout(SOON, seen.recv())
        .await
        .expect("a message")
        .unwrap()
}

/// Publishes as soon as this bus can again.
async fn publish_at_last(bus: &SharedBus, subject: &Subject, text: &'static str) {
    let deadline = Instant::now() + SOON;
    while bus.publish(subject, text.into()).await.is_err() || bus.flush().await.is_err() {
        assert!(Instant::now() < deadline, "{text} cannot be published");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_publish_after_a_subscribe_is_not_missed() {
    let (here, options) = conformance::nats::fresh().await;
    let there = NatsBus::connect(options.clone()).await.unwrap();
    let (sink, mut seen) = collector();
    for user in 0..300 {
        let subject = Subject::User(user);
        let _subscription = here
            .subscribe(subject.clone(), None, sink.clone())
            .await
            .unwrap();
        there
            .publish(&subject, user.to_string().into())
            .await
            .unwrap();
        assert_eq!(next(&mut seen).await, user.to_string());
    }
    conformance::nats::remove(&options).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn losses_rise_once_the_live_stream_can_be_trusted_again() {
    let mut server = Server::start();
    let here = server.bus().await;
    let (sink, mut seen) = collector();
    let mut subscriptions = Vec::new();
    for user in 0..2000 {
        let subscribing = here.subscribe(Subject::User(user), None, sink.clone());
        subscriptions.push(subscribing.await.unwrap());
    }
    let last = Subject::User(1999);
    let mut losses = here.losses();
    for round in 0..3 {
        server.process().kill9().await;
        let deadline = Instant::now() + SOON;
        while here.check().await.is_ok() {
            assert!(Instant::now() < deadline, "the loss is not noticed");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let began = Instant::now();
        let down = here.publish(&last, "lost".into()).await;
        assert!(matches!(down, Err(Error::Unavailable(_))), "{down:?}");
        assert!(here.flush().await.is_err());
        assert!(
            here.append(0, "x".into())
                .await
                .is_err_and(|e| e != Error::Full)
        );
        assert!(
            began.elapsed() < Duration::from_millis(500),
            "nobody waits while it is down"
        );
        assert!(!losses.has_changed().unwrap());
        if round == 1 {
            server.start_again_empty();
        } else {
            server.start_again();
        }
        // By another connection, which is up before this one has its subscriptions and streams again.
        let client = server.client().await;
        lost(&mut losses).await;
        client.publish("user.1999", "found".into()).await.unwrap();
        client.flush().await.unwrap();
        assert_eq!(next(&mut seen).await, "found");
        here.append(0, "taken".into()).await.unwrap();
        here.check().await.unwrap();
        here.flush().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_falls_silent_is_noticed_and_blocks_nobody() {
    let server = Server::start();
    let bus = server.bus().await;
    let (sink, mut seen) = collector();
    let subject = Subject::User(1);
    let _subscription = bus.subscribe(subject.clone(), None, sink).await.unwrap();
    let mut losses = bus.losses();
    server.process().pause().await;
    let stopped = Instant::now();
    let asked = bus
        .request(&subject, "x".into(), Duration::from_millis(300))
        .await
        .unwrap();
    assert_eq!(asked.wait().await, Err(NoReply::Timeout));
    let appended = bus.append(0, "x".into()).await;
    assert!(
        matches!(appended, Err(Error::Unconfirmed(_))),
        "{appended:?}"
    );
    // Far more than fits into queues and sockets.
    let payload = Bytes::from(vec![b'x'; 10_000]);
    let (mut refused, mut slowest) = (0, Duration::ZERO);
    while refused < 50 {
        assert!(
            stopped.elapsed() < Duration::from_secs(20),
            "everything is taken"
        );
        let began = Instant::now();
        if bus.publish(&subject, payload.clone()).await.is_err() {
            refused += 1;
        }
        slowest = slowest.max(began.elapsed());
    }
    assert!(slowest < Duration::from_millis(1500), "{slowest:?}");
    // By its pings: until then it may be slow.
    let deadline = stopped + Duration::from_secs(12);
    let down = async || matches!(bus.check().await, Err(Error::Unavailable(why)) if why.contains("is down"));
    while !down().await {
        assert!(Instant::now() < deadline, "the silence is not noticed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.process().wake();
    lost(&mut losses).await;
    while seen.try_recv().is_ok() {}
    publish_at_last(&bus, &subject, "again").await;
    while next(&mut seen).await != "again" {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_that_is_too_slow_is_a_loss() {
    /// Blocks, which no listener may, until told to go on.
    struct Slow(
        parking_lot::Mutex<std::sync::mpsc::Receiver<()>>,
        mpsc::UnboundedSender<Bytes>,
    );
    impl Sink for Slow {
        fn deliver(&self, _: &Subject, message: Message) {
            let _ = self.0.lock().recv();
            let _ = self.1.send(message.payload);
        }
    }
    let (goes_on, waits) = std::sync::mpsc::channel();
    let (sender, mut seen) = mpsc::unbounded_channel();
    let options = Options {
        max_waiting: 16,
        ..conformance::nats::fresh_options()
    };
    let bus = NatsBus::connect(options.clone()).await.unwrap();
    let subject = Subject::User(1);
    let sink = Arc::new(Slow(parking_lot::Mutex::new(waits), sender));
    let _subscription = bus.subscribe(subject.clone(), None, sink).await.unwrap();
    let mut losses = bus.losses();
    for n in 0..200 {
        bus.publish(&subject, n.to_string().into()).await.unwrap();
    }
    lost(&mut losses).await;
    drop(goes_on);
    let mut received = 0;
    while next(&mut seen).await != "15" {
        received += 1;
    }
    assert!(received >= 15);
    // Some of the two hundred may be on their way yet, and leave no room for the next one.
    let deadline = Instant::now() + SOON;
    loop {
        bus.publish(&subject, "later".into()).await.unwrap();
        let heard = async { while next(&mut seen).await != "later" {} };
        if timeout(Duration::from_millis(100), heard).await.is_ok() {
            break;
        }
        assert!(Instant::now() < deadline, "nothing comes any more");
    }
    conformance::nats::remove(&options).await;
}
