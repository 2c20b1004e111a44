//! The bus inside one process. Everything in it is gone when the process ends, which is what the log promises anyway.

mod live;
mod log;
mod queue;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use lingxi_runtime::shutdown::Shutdown;
use tokio::sync::{mpsc, watch};

use crate::{
    Bus, Job, Lane, LogEntry, LogInfo, PendingReply, Result, SharedBus, Sink, Subject, Subscription,
};

/// A bus that joins the roles of one process.
pub struct LocalBus {
    live: Arc<live::Live>,
    log: log::Log,
    queues: Arc<queue::Queues>,
    losses: watch::Sender<u64>,
}

impl LocalBus {
    /// An empty bus on its own; `partitions` is how many the chat log has.
    pub fn shared(partitions: u16) -> SharedBus {
        Self::within(&Shutdown::new(), partitions)
    }

    /// An empty bus whose tasks belong to `shutdown`: it is told when one fails, and waits for them after
    /// [`Bus::close`]. `partitions` is how many the chat log has.
    pub fn within(shutdown: &Shutdown, partitions: u16) -> SharedBus {
        Arc::new(Self {
            live: Arc::default(),
            log: log::Log::new(partitions, shutdown.tasks("message log")),
            queues: Arc::default(),
            losses: watch::Sender::new(0),
        })
    }
}

#[async_trait]
impl Bus for LocalBus {
    async fn publish(&self, subject: &Subject, payload: Bytes) -> Result<()> {
        self.live.publish(subject, payload);
        Ok(())
    }

    async fn request(
        &self,
        subject: &Subject,
        payload: Bytes,
        timeout: Duration,
    ) -> Result<PendingReply> {
        Ok(self.live.request(subject, payload, timeout))
    }

    async fn subscribe(
        &self,
        subject: Subject,
        group: Option<&str>,
        sink: Arc<dyn Sink>,
    ) -> Result<Subscription> {
        Ok(Subscription::new(live::subscribe(
            &self.live, subject, group, sink,
        )))
    }

    async fn flush(&self) -> Result<()> {
        Ok(())
    }

    fn losses(&self) -> watch::Receiver<u64> {
        self.losses.subscribe()
    }

    async fn append(&self, partition: u16, payload: Bytes) -> Result<u64> {
        self.log.append(partition, payload).await
    }

    async fn log_info(&self) -> Result<LogInfo> {
        Ok(self.log.info())
    }

    async fn read_log(
        &self,
        partition: u16,
        after: u64,
        reader: u64,
        out: mpsc::Sender<LogEntry>,
    ) -> Result<Subscription> {
        Ok(Subscription::new(
            self.log.read(partition, after, reader, out)?,
        ))
    }

    async fn purge_log(&self, partition: u16, upto: u64) -> Result<()> {
        self.log.purge(partition, upto)
    }

    async fn enqueue(&self, lane: Lane, payload: Bytes) -> Result<()> {
        self.queues.push(lane, payload);
        Ok(())
    }

    async fn dequeue(&self, lanes: &[Lane]) -> Result<Job> {
        Ok(queue::pop(&self.queues, lanes).await)
    }

    fn close(&self) {
        self.log.close();
    }

    fn describe(&self) -> String {
        "in this process, in memory: what is not committed ends with it".to_owned()
    }

    async fn check(&self) -> Result<()> {
        Ok(())
    }
}
