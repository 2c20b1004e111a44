//! All messaging between processes, behind one [`Bus`].
//!
//! Three kinds of traffic, each with its own promise:
//! - **live subjects** ([`Bus::publish`], [`Bus::request`], [`Bus::subscribe`]): at most once, in order per publisher and
//!   subject, gone when nobody listens. What is lost is noticed by [`Bus::losses`] and by the dense `seq` of the log.
//! - **the chat log** ([`Bus::append`], [`Bus::read_log`]): ordered per partition, read by position, as often as wanted,
//!   until purged. It may be lost with the process or server that holds it: nothing in it is acknowledged to anybody.
//! - **work queues** ([`Bus::enqueue`], [`Bus::dequeue`]): each job to one worker, again when that worker dies.
//!
//! Every message carries the trace of the span it was sent in, see [`TraceContext`].
//!
//! Only this crate names a messaging library. [`local::LocalBus`] is the in-process implementation, [`nats::NatsBus`] the
//! one on a NATS server; both pass `conformance`.

mod error;
pub mod local;
pub mod nats;
mod reply;
pub mod settings;
mod subject;
mod trace;

#[cfg(feature = "conformance")]
pub mod conformance;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{mpsc, watch};

pub use error::{Error, NoReply, Result};
pub use reply::{PendingReply, Replier};
pub use subject::{Lane, Subject};
pub use trace::TraceContext;

/// The shared handle that callers keep.
pub type SharedBus = Arc<dyn Bus>;

/// Messaging between processes. See the crate's documentation for what each kind of traffic promises.
#[async_trait]
pub trait Bus: Send + Sync + 'static {
    /// Hands `payload` to whoever listens on `subject` now. At most once; in order per publisher and subject.
    async fn publish(&self, subject: &Subject, payload: Bytes) -> Result<()>;

    /// Like [`Bus::publish`], and the first listener's answer comes back. The message is on its way, in order with other
    /// publishes, when this returns; the answer is awaited on the [`PendingReply`].
    async fn request(
        &self,
        subject: &Subject,
        payload: Bytes,
        timeout: Duration,
    ) -> Result<PendingReply>;

    /// Calls `sink` for every message on `subject` from now on: when this returns, nothing published later is missed.
    /// Within a `group`, each message goes to one member only. Ends when the subscription is dropped.
    async fn subscribe(
        &self,
        subject: Subject,
        group: Option<&str>,
        sink: Arc<dyn Sink>,
    ) -> Result<Subscription>;

    /// Returns when everything that this process has published so far has been taken over; an error when that is not sure.
    async fn flush(&self) -> Result<()>;

    /// Rises whenever live messages may have been missed (a connection lost, a listener too slow): what depends on them
    /// must be read again from the store. By then the live stream can be trusted again. Also rises when the chat log may be
    /// another one than before.
    fn losses(&self) -> watch::Receiver<u64>;

    /// Appends to a partition of the chat log; answers its position once the log has taken it. With [`Error::Full`] it
    /// surely was not taken; any other error leaves that open. Never repeated by the bus itself.
    async fn append(&self, partition: u16, payload: Bytes) -> Result<u64>;

    /// Which log this is and where it ends.
    async fn log_info(&self) -> Result<LogInfo>;

    /// Sends every entry of `partition` behind position `after`, and each new one, in order, once, to `out`, waiting where
    /// `out` is full; each bears `reader`, the caller's mark. Ends when the subscription or the receiver is dropped. A log
    /// that turns out to be another one is not read on: [`Bus::losses`] rises, and the caller reads anew.
    async fn read_log(
        &self,
        partition: u16,
        after: u64,
        reader: u64,
        out: mpsc::Sender<LogEntry>,
    ) -> Result<Subscription>;

    /// Forgets the entries of `partition` up to and including position `upto`.
    async fn purge_log(&self, partition: u16, upto: u64) -> Result<()>;

    /// Adds a job to a work queue.
    async fn enqueue(&self, lane: Lane, payload: Bytes) -> Result<()>;

    /// Waits for a job; lanes named first go first. A job that is dropped without [`Job::done`], or whose worker dies, is
    /// given out again: at least once. Dropping the future loses no job.
    async fn dequeue(&self, lanes: &[Lane]) -> Result<Job>;

    /// Ends the tasks of the bus: nothing comes or goes any more. For the end of a process, when nobody uses it.
    fn close(&self);

    /// What carries the messages, and how safely, as far as it was read back: one line for the log and for `/readyz`.
    fn describe(&self) -> String;

    /// Whether the bus works at this moment.
    async fn check(&self) -> Result<()>;
}

/// Takes messages of a subscription. Called in order; must not block.
pub trait Sink: Send + Sync + 'static {
    /// One message.
    fn deliver(&self, subject: &Subject, message: Message);
}

/// A live message.
pub struct Message {
    /// What was published.
    pub payload: Bytes,
    /// How to answer, if it was a request.
    pub reply: Option<Replier>,
    /// The trace it was published in.
    pub trace: TraceContext,
}

/// Keeps a subscription or a reader alive; ends it when dropped.
pub struct Subscription {
    _guard: Box<dyn std::any::Any + Send + Sync>,
}

impl Subscription {
    fn new(guard: impl std::any::Any + Send + Sync) -> Self {
        Self {
            _guard: Box::new(guard),
        }
    }
}

/// An entry of the chat log.
#[derive(Clone, Debug)]
pub struct LogEntry {
    /// Its partition.
    pub partition: u16,
    /// Its position: rises within a partition, with holes.
    pub position: u64,
    /// What was appended.
    pub payload: Bytes,
    /// The mark of the reader that it was sent to.
    pub reader: u64,
    /// The trace it was appended in.
    pub trace: TraceContext,
}

/// Which chat log this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogInfo {
    /// When it was made, in nanoseconds since the Unix epoch: another value is another log, whose positions start anew.
    pub created: i64,
    /// The highest position given out; 0 when none was.
    pub last: u64,
}

/// A job of a work queue, owned by whoever dequeued it.
pub struct Job {
    /// What was enqueued.
    pub payload: Bytes,
    /// Where it came from.
    pub lane: Lane,
    /// The trace it was enqueued in.
    pub trace: TraceContext,
    guard: Box<dyn JobGuard>,
}

trait JobGuard: Send + Sync {
    fn done(self: Box<Self>);
}

impl Job {
    /// The job is finished, or its row says what is left to do: it is not given out again.
    pub fn done(self) {
        self.guard.done();
    }
}
