//! The bus on a NATS server: live subjects on its core, the chat log and the work queues on JetStream.
//!
//! What this promises beyond [`Bus`]: nothing blocks for long while the server is away, a lost connection is made again
//! for ever, and [`Bus::losses`] rises only after the subscriptions and streams are in place again.
//! To start reading: [`NatsBus::connect`], then `supervisor` for what happens when the connection is lost.

mod answer;
mod api;
mod barrier;
mod connect;
mod delivery;
mod headers;
mod held;
mod link;
mod live;
mod log;
mod monitoring;
mod names;
mod options;
mod queue;
mod reader;
mod replies;
mod round_trips;
mod streams;
mod supervisor;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use lingxi_runtime::shutdown::Shutdown;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::DropGuard;

use self::link::{Events, Link};
use self::live::Drivers;
use self::names::StreamName;
use self::replies::Replies;
use crate::{
    Bus, Error, Job, Lane, LogEntry, LogInfo, PendingReply, Result, SharedBus, Sink, Subject,
    Subscription,
};

pub use self::options::Options;

pub(crate) use self::answer::{Answer, answer};
pub(crate) use self::replies::Awaited;

/// How long the server may take to take over what was published.
const FLUSH: Duration = Duration::from_secs(2);

/// A bus that joins processes through a NATS server with JetStream, version 2.12 or newer.
pub struct NatsBus {
    link: Arc<Link>,
    /// How the servers write to the disk, as read at the start.
    sync_settings: String,
    drivers: Drivers,
    /// Ends the bus's tasks with it.
    _tasks: DropGuard,
}

impl NatsBus {
    /// A bus on its own; see [`NatsBus::within`].
    ///
    /// # Errors
    /// As [`NatsBus::within`].
    pub async fn connect(options: Options) -> Result<SharedBus> {
        Self::within(&Shutdown::new(), options).await
    }

    /// Connects once, and makes the streams be there. From then on a lost connection is made again for ever. The tasks of
    /// the bus belong to `shutdown`: it is told when one fails, and waits for them after [`Bus::close`].
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the server is not there yet: it may come. [`Error::Setup`] when waiting does not help;
    /// its text says in one line what to do.
    pub async fn within(shutdown: &Shutdown, options: Options) -> Result<SharedBus> {
        let tasks = shutdown.tasks("message bus");
        let replies = Replies::new(tasks.clone());
        let events = Arc::<Events>::default();
        let client = connect::connect(&options, &replies, &events).await?;
        let answers = client
            .subscribe(replies.wildcard())
            .await
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        let link = Arc::new(Link::new(client, options, replies.clone(), events, tasks));
        let guard = link.closed.clone().drop_guard();
        link.spawn(replies.distribute(answers));
        link.spawn(round_trips::run(link.clone()));
        supervisor::declare(&link).await?;
        metrics::gauge!("lingxi_bus_connected").set(1.0);
        link.spawn(supervisor::run(link.clone()));
        let drivers = Drivers::start(&link);
        // May take a while where nobody answers; the connection is looked after meanwhile.
        let monitored = monitoring::urls(&link.options.monitoring_url)?;
        let sync_settings = monitoring::sync_settings(&monitored).await;
        Ok(Arc::new(Self {
            drivers,
            link,
            sync_settings,
            _tasks: guard,
        }))
    }
}

/// Deletes the streams of a namespace, for tests.
#[cfg(feature = "conformance")]
pub(crate) async fn remove_streams(options: &Options) -> Result<()> {
    let replies = Replies::new(Shutdown::new().tasks("message bus"));
    let events = Arc::<Events>::default();
    let client = connect::connect(options, &replies, &events).await?;
    let names = names::Names::new(&options.namespace);
    for stream in [StreamName::Chat, StreamName::Ai, StreamName::Agent] {
        let call = format!("$JS.API.STREAM.DELETE.{}", names.stream(stream));
        let deleted = client.request(call, Bytes::new()).await;
        deleted.map_err(|error| Error::Unavailable(error.to_string()))?;
    }
    Ok(())
}

#[async_trait]
impl Bus for NatsBus {
    async fn publish(&self, subject: &Subject, payload: Bytes) -> Result<()> {
        live::publish(&self.link, subject, payload).await
    }

    async fn request(
        &self,
        subject: &Subject,
        payload: Bytes,
        timeout: Duration,
    ) -> Result<PendingReply> {
        live::request(&self.link, subject, payload, Instant::now() + timeout).await
    }

    async fn subscribe(
        &self,
        subject: Subject,
        group: Option<&str>,
        sink: Arc<dyn Sink>,
    ) -> Result<Subscription> {
        let guard = self
            .drivers
            .subscribe(&self.link, subject, group, sink)
            .await?;
        Ok(Subscription::new(guard))
    }

    async fn flush(&self) -> Result<()> {
        let unsure = || Error::Unavailable("the connection to NATS was lost meanwhile".to_owned());
        let connection = self.link.connection();
        if !self.link.is_settled() {
            return Err(unsure());
        }
        match tokio::time::timeout(FLUSH, self.link.barrier.pass()).await {
            Ok(passed) => passed?,
            Err(_) => return Err(Error::Unavailable("NATS does not answer".to_owned())),
        }
        // What was published before on another connection may not have arrived.
        if self.link.connection() != connection {
            return Err(unsure());
        }
        Ok(())
    }

    fn losses(&self) -> watch::Receiver<u64> {
        self.link.losses.subscribe()
    }

    async fn append(&self, partition: u16, payload: Bytes) -> Result<u64> {
        log::append(&self.link, partition, payload).await
    }

    async fn log_info(&self) -> Result<LogInfo> {
        log::info(&self.link).await
    }

    async fn read_log(
        &self,
        partition: u16,
        after: u64,
        reader: u64,
        out: mpsc::Sender<LogEntry>,
    ) -> Result<Subscription> {
        let guard = reader::read(&self.link, (partition, after, reader), out).await?;
        Ok(Subscription::new(guard))
    }

    async fn purge_log(&self, partition: u16, upto: u64) -> Result<()> {
        log::purge(&self.link, partition, upto).await
    }

    async fn enqueue(&self, lane: Lane, payload: Bytes) -> Result<()> {
        queue::enqueue(&self.link, lane, payload).await
    }

    async fn dequeue(&self, lanes: &[Lane]) -> Result<Job> {
        queue::dequeue(&self.link, lanes).await
    }

    fn close(&self) {
        self.link.closed.cancel();
    }

    fn describe(&self) -> String {
        // What is not committed to the store may be lost with the server, so nothing depends on how it syncs.
        format!("{}; {}", self.link.description.lock(), self.sync_settings)
    }

    async fn check(&self) -> Result<()> {
        self.link.require_connection()?;
        if !self.link.is_settled() {
            let why = "NATS is reached again, but subscriptions and streams are not in place yet";
            return Err(Error::Unavailable(why.to_owned()));
        }
        for stream in [StreamName::Chat, StreamName::Ai] {
            let looked = tokio::time::timeout(FLUSH, api::info(&self.link, stream)).await;
            match looked {
                Ok(info) => info.map(|_| ()).map_err(Error::from)?,
                Err(_) => return Err(Error::Unavailable("JetStream does not answer".to_owned())),
            }
        }
        Ok(())
    }
}
