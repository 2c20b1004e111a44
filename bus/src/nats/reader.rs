//! Reads a partition of the chat log: a consumer without acknowledgements, made anew behind the last entry whenever
//! something is missing.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::message::OutboundMessage;
use async_nats::{Message, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt as _;
use rand::RngExt as _;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::api::{self, Ignored};
use super::delivery::{Delivery, Origin};
use super::link::Link;
use super::names::StreamName;
use super::{headers, log};
use crate::{Error, LogEntry, Result};

/// Entries asked for at a time; so many may wait here when `out` is full.
const BATCH: u64 = 256;
/// How long one request for entries stands.
const EXPIRES: Duration = Duration::from_secs(30);
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Without a sign of life for so long, the consumer counts as gone.
const SILENCE: Duration = Duration::from_secs(12);
/// After which time without a reader the server forgets a consumer.
const FORGOTTEN: Duration = Duration::from_secs(60);

struct Reader {
    link: Arc<Link>,
    partition: u16,
    mark: u64,
    out: mpsc::Sender<LogEntry>,
    /// Which log is read.
    created: i64,
    /// Position of the last entry sent out, or behind which to begin.
    last: u64,
}

/// A consumer on the server and where it delivers to. The server forgets it when it is dropped.
struct Source {
    link: Arc<Link>,
    consumer: String,
    inbox: String,
    messages: Subscriber,
    /// Delivered so far.
    delivered: u64,
    /// How much of the current request is still to come.
    wanted: u64,
}

/// See [`crate::Bus::read_log`].
pub(super) async fn read(
    link: &Arc<Link>,
    (partition, after, mark): (u16, u64, u64),
    out: mpsc::Sender<LogEntry>,
) -> Result<DropGuard> {
    log::require_partition(link, partition)?;
    let mut reader = Reader {
        link: link.clone(),
        partition,
        mark,
        out,
        created: link.log_created.load(Ordering::Acquire),
        last: after,
    };
    let (source, _) = reader.open().await?;
    let stop = CancellationToken::new();
    let guard = stop.clone().drop_guard();
    link.spawn(async move {
        let out = reader.out.clone();
        tokio::select! {
            () = stop.cancelled() => {}
            () = out.closed() => {}
            () = reader.work(source) => {}
        }
    });
    Ok(guard)
}

impl Reader {
    /// A consumer that begins behind the last entry, and the position where the log ends.
    async fn open(&self) -> Result<(Source, u64)> {
        let source = Source::make(&self.link, self.partition, self.last + 1).await?;
        // Asked after the consumer was made: it belongs to this log or to an earlier one, and those are no more.
        let info = api::info(&self.link, StreamName::Chat).await?;
        if api::created(&info) != self.created {
            self.link.suspect();
            return Err(Error::Unavailable(
                "the message log was made anew".to_owned(),
            ));
        }
        Ok((source, info.state.last_sequence))
    }

    async fn work(&mut self, mut source: Source) {
        loop {
            if let ControlFlow::Break(()) = self.follow(&mut source).await {
                return;
            }
            metrics::counter!("lingxi_bus_log_readers_renewed_total").increment(1);
            match self.reopen().await {
                Some(again) => source = again,
                None => return,
            }
        }
    }

    /// Tries until it can be read again; `None` if it is another log now.
    async fn reopen(&mut self) -> Option<Source> {
        let mut pause = 20;
        loop {
            let mut settled = self.link.settled.subscribe();
            if self.link.is_settled() {
                match self.open().await {
                    // Entries of these positions were sent out already: it is an older state of the log, or a new one.
                    Ok((_, end)) if end < self.last => {
                        self.link.lost();
                        return None;
                    }
                    Ok((source, _)) => return Some(source),
                    Err(error) => {
                        if self.link.log_created.load(Ordering::Acquire) != self.created {
                            return None;
                        }
                        tracing::debug!(%error, partition = self.partition, "the partition cannot be read yet");
                    }
                }
            }
            let jitter = rand::rng().random_range(0..pause);
            let _ = timeout(Duration::from_millis(pause + jitter), settled.changed()).await;
            pause = (pause * 2).min(1000);
        }
    }

    /// Sends out what comes, until something is missing. Breaks when nobody takes it any more.
    async fn follow(&mut self, source: &mut Source) -> ControlFlow<()> {
        const RENEW: ControlFlow<()> = ControlFlow::Continue(());
        let mut settled = self.link.settled.subscribe();
        loop {
            if source.wanted == 0 && source.pull().await.is_err() {
                return RENEW;
            }
            let received = tokio::select! {
                received = timeout(SILENCE, source.messages.next()) => received,
                // Another connection: what the server sent to the former one is lost.
                _ = settled.changed() => return RENEW,
            };
            let Ok(Some(received)) = received else {
                return RENEW;
            };
            match Delivery::of(received) {
                Delivery::Message(message, origin) => {
                    if origin.number != source.delivered + 1 {
                        return RENEW;
                    }
                    source.delivered = origin.number;
                    source.wanted = source.wanted.saturating_sub(1);
                    self.send_out(message, &origin).await?;
                }
                Delivery::Heartbeat(Some(delivered)) if delivered != source.delivered => {
                    return RENEW;
                }
                Delivery::Heartbeat(_) => {}
                Delivery::Over(Some(missing)) if missing != source.wanted => return RENEW,
                Delivery::Over(_) => source.wanted = 0,
                Delivery::Gone => return RENEW,
            }
        }
    }

    async fn send_out(&mut self, message: Message, origin: &Origin) -> ControlFlow<()> {
        if origin.position <= self.last {
            return ControlFlow::Continue(());
        }
        if let Some(trace) = headers::incoming(message.headers.as_ref(), &message.subject) {
            let entry = LogEntry {
                partition: self.partition,
                position: origin.position,
                payload: message.payload,
                reader: self.mark,
                trace,
            };
            if self.out.send(entry).await.is_err() {
                return ControlFlow::Break(());
            }
        }
        self.last = origin.position;
        ControlFlow::Continue(())
    }
}

impl Source {
    async fn make(link: &Arc<Link>, partition: u16, from: u64) -> Result<Self> {
        let unavailable = |error: async_nats::SubscribeError| Error::Unavailable(error.to_string());
        let stream = link.names.stream(StreamName::Chat);
        let consumer = format!("r{partition}-{:016x}", rand::random::<u64>());
        let inbox = format!("_INBOX.log.{consumer}");
        link.require_connection()?;
        let source = Self {
            messages: link
                .client
                .subscribe(inbox.clone())
                .await
                .map_err(unavailable)?,
            link: link.clone(),
            consumer,
            inbox,
            delivered: 0,
            wanted: 0,
        };
        let request = json!({
            "stream_name": stream,
            "config": {
                "name": source.consumer,
                "deliver_policy": "by_start_sequence",
                "opt_start_seq": from,
                "ack_policy": "none",
                "replay_policy": "instant",
                "filter_subject": link.names.log(partition),
                "inactive_threshold": nanos(FORGOTTEN),
                "num_replicas": 1,
                "mem_storage": true,
            },
        });
        let call = format!("CONSUMER.CREATE.{stream}.{}", source.consumer);
        let _: Ignored = api::call(link, &call, Some(&request)).await?;
        Ok(source)
    }

    async fn pull(&mut self) -> Result<()> {
        let stream = self.link.names.stream(StreamName::Chat);
        let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{}", self.consumer);
        pull(
            &self.link,
            subject,
            &self.inbox,
            BATCH,
            Some((EXPIRES, HEARTBEAT)),
        )
        .await?;
        self.wanted = BATCH;
        Ok(())
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        let stream = self.link.names.stream(StreamName::Chat);
        self.link.send_soon(OutboundMessage {
            subject: format!("$JS.API.CONSUMER.DELETE.{stream}.{}", self.consumer).into(),
            // Nobody reads the answer, but without a reply subject there is no request.
            reply: Some(self.link.replies.nobody().into()),
            payload: Bytes::new(),
            headers: None,
        });
    }
}

/// Asks a consumer for `batch` messages, until a time with heartbeats, or for what it has at once.
pub(super) async fn pull(
    link: &Link,
    subject: String,
    inbox: &str,
    batch: u64,
    wait: Option<(Duration, Duration)>,
) -> Result<()> {
    let request = match wait {
        Some((expires, heartbeat)) => {
            json!({ "batch": batch, "expires": nanos(expires), "idle_heartbeat": nanos(heartbeat) })
        }
        None => json!({ "batch": batch, "no_wait": true }),
    };
    link.send(OutboundMessage {
        subject: subject.into(),
        reply: Some(inbox.to_owned().into()),
        payload: request.to_string().into(),
        headers: None,
    })
    .await
}

pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
