//! Messages of other publishers, and of other versions.

use std::sync::Arc;
use std::time::Duration;

use lingxi_bus::{Lane, Message, Sink, Subject, conformance};
use tokio::sync::mpsc;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(5);

struct Collector(mpsc::UnboundedSender<String>);

impl Sink for Collector {
    fn deliver(&self, _: &Subject, message: Message) {
        let text = String::from_utf8(message.payload.to_vec()).unwrap();
        let _ = self.0.send(text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_schema_is_refused_and_a_foreign_message_taken() {
    let (bus, options) = conformance::nats::fresh().await;
    let client = async_nats::connect(&options.url).await.unwrap();
    let (sender, mut live) = mpsc::unbounded_channel();
    let sink = Arc::new(Collector(sender));
    let _subscription = bus.subscribe(Subject::User(1), None, sink).await.unwrap();
    let (out, mut entries) = mpsc::channel(16);
    let _reader = bus.read_log(1, 0, 0, out).await.unwrap();
    let mut future = async_nats::HeaderMap::new();
    future.insert("Lingxi-Schema", "2");
    for subject in ["user.1", "chat.in.1", "ai.run.batch"] {
        let subject = format!("{}.{subject}", options.namespace);
        client
            .publish_with_headers(subject.clone(), future.clone(), "future".into())
            .await
            .unwrap();
        client.publish(subject, "foreign".into()).await.unwrap();
    }
    assert_eq!(
        timeout(SOON, live.recv()).await.unwrap().unwrap(),
        "foreign"
    );
    let entry = timeout(SOON, entries.recv()).await.unwrap().unwrap();
    assert_eq!(entry.payload, "foreign");
    let job = timeout(SOON, bus.dequeue(&[Lane::Batch]))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(job.payload, "foreign");
    job.done();
    conformance::nats::remove(&options).await;
}
