//! What every bus must do, run against each implementation.

#![allow(
    clippy::disallowed_methods,
    reason = "a test's tasks end with its runtime"
)]
#![allow(
    clippy::unwrap_used,
    reason = "a conformance suite is a test: it panics where a promise is broken"
)]

mod live;
mod log;
pub mod nats;
mod queues;
mod traces;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::{LogEntry, Message, SharedBus, Sink, Subject};

const SOON: Duration = Duration::from_secs(5);
/// Long enough to see that nothing comes, where a later message proves that it would have come before.
const REPLY: Duration = Duration::from_millis(200);

/// Collects what it is given. Requests are answered with what they said, or kept.
struct Collector {
    seen: mpsc::UnboundedSender<Bytes>,
    answers: bool,
    kept: parking_lot::Mutex<Vec<crate::Replier>>,
}

impl Sink for Collector {
    fn deliver(&self, _: &Subject, message: Message) {
        let _ = self.seen.send(message.payload.clone());
        match message.reply {
            Some(reply) if self.answers => reply.reply(message.payload),
            Some(reply) => self.kept.lock().push(reply),
            None => {}
        }
    }
}

fn collector(answers: bool) -> (Arc<Collector>, mpsc::UnboundedReceiver<Bytes>) {
    let (seen, received) = mpsc::unbounded_channel();
    let kept = parking_lot::Mutex::default();
    (
        Arc::new(Collector {
            seen,
            answers,
            kept,
        }),
        received,
    )
}

async fn next<T>(receiver: &mut mpsc::UnboundedReceiver<T>) -> T {
    timeout(SOON, receiver.recv()).await.unwrap().unwrap()
}

async fn next_entry(entries: &mut mpsc::Receiver<LogEntry>) -> LogEntry {
    timeout(SOON, entries.recv()).await.unwrap().unwrap()
}

/// Runs the whole suite against a bus with at least four partitions and an empty log.
///
/// # Panics
/// Where a promise is broken.
pub async fn run(bus: SharedBus) {
    bus.check().await.unwrap();
    assert!(!bus.describe().is_empty());
    live::live_in_order(&bus).await;
    live::requests(&bus).await;
    live::given_up(&bus).await;
    live::groups(&bus).await;
    live::subscribed_at_once(&bus).await;
    log::log_by_position(&bus).await;
    log::log_purged(&bus).await;
    log::log_waits_for_its_reader(&bus).await;
    log::appended_at_once(&bus).await;
    queues::queues(&bus).await;
    queues::abandoned_waits(&bus).await;
    queues::shared_out(&bus).await;
    traces::traces(&bus).await;
    assert_eq!(*bus.losses().borrow(), 0, "nothing was lost");
}
