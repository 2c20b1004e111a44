//! The connection: what is sent, how it is known that the server has it, and what is known about losses.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::task::Poll;
use std::time::Duration;

use async_nats::client::Statistics;
use async_nats::client::traits::Publisher as _;
use async_nats::connection::State;
use async_nats::message::OutboundMessage;
use async_nats::{Client, HeaderMap};
use bytes::Bytes;
use lingxi_runtime::shutdown::Tasks;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::barrier::Barrier;
use super::names::Names;
use super::options::Options;
use super::replies::{Awaited, Replies};
use crate::{Error, Result};

/// How long a publish may wait for room in the connection's queue, while it is not known that the connection stalls.
const PATIENCE: Duration = Duration::from_secs(1);
/// The same, once it is known.
const IMPATIENCE: Duration = Duration::from_millis(5);

/// What the connection's events say, for the supervisor.
#[derive(Default)]
pub(super) struct Events {
    pub(super) disconnected: AtomicBool,
    /// Messages were dropped because a listener was too slow.
    pub(super) overflowed: AtomicBool,
    /// The streams should be looked at now.
    pub(super) suspicious: AtomicBool,
    pub(super) wake: Notify,
}

/// One connection, shared by everything in this module.
pub(super) struct Link {
    pub(super) client: Client,
    pub(super) names: Names,
    pub(super) options: Options,
    pub(super) replies: Arc<Replies>,
    pub(super) barrier: Barrier,
    pub(super) events: Arc<Events>,
    /// Ends every task of this bus.
    pub(super) closed: CancellationToken,
    pub(super) losses: watch::Sender<u64>,
    /// Which connection has its subscriptions and streams in place again.
    pub(super) settled: watch::Sender<u64>,
    /// When the chat log was made, as last told to those who watch for losses.
    pub(super) log_created: AtomicI64,
    /// The server and its streams, as last read.
    pub(super) description: Mutex<String>,
    statistics: Arc<Statistics>,
    stalled: AtomicBool,
    tasks: Tasks,
}

impl Link {
    pub(super) fn new(
        client: Client,
        options: Options,
        replies: Arc<Replies>,
        events: Arc<Events>,
        tasks: Tasks,
    ) -> Self {
        let statistics = client.statistics();
        let link = Self {
            names: Names::new(&options.namespace),
            options,
            replies,
            barrier: Barrier::default(),
            events,
            closed: CancellationToken::new(),
            losses: watch::Sender::new(0),
            settled: watch::Sender::new(0),
            log_created: AtomicI64::new(0),
            description: Mutex::default(),
            statistics,
            stalled: AtomicBool::new(false),
            tasks,
            client,
        };
        link.settled.send_replace(link.connection());
        link
    }

    /// Runs a task of this bus until it ends or the bus is closed.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let task = self.closed.clone().run_until_cancelled_owned(task);
        self.tasks.spawn(async move {
            let _ = task.await;
        });
    }

    /// Runs what has to be said although the bus is being closed; it ends by itself, soon.
    pub(super) fn finish(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// The number of the current, or last, connection.
    pub(super) fn connection(&self) -> u64 {
        self.statistics.connects.load(Ordering::Relaxed)
    }

    pub(super) fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// Whether the connection is up and everything is in place on it.
    pub(super) fn is_settled(&self) -> bool {
        self.is_connected() && *self.settled.borrow() == self.connection()
    }

    pub(super) fn require_connection(&self) -> Result<()> {
        if self.is_connected() {
            Ok(())
        } else {
            Err(Error::Unavailable(
                "the connection to NATS is down".to_owned(),
            ))
        }
    }

    /// Something on the server is not as it was left.
    pub(super) fn suspect(&self) {
        self.events.suspicious.store(true, Ordering::Release);
        self.events.wake.notify_one();
    }

    pub(super) fn lost(&self) {
        self.losses.send_modify(|count| *count += 1);
    }

    /// Queues a message behind everything that was sent before. At once where the connection is up and keeps up; never long.
    pub(super) async fn send(&self, message: OutboundMessage) -> Result<()> {
        self.require_connection()?;
        let mut sending = pin!(self.client.publish_message(message));
        let first = std::future::poll_fn(|cx| Poll::Ready(sending.as_mut().poll(cx))).await;
        let sent = match first {
            Poll::Ready(sent) => sent,
            Poll::Pending => {
                let patience = match self.stalled.load(Ordering::Relaxed) {
                    true => IMPATIENCE,
                    false => PATIENCE,
                };
                let Ok(sent) = tokio::time::timeout(patience, sending).await else {
                    self.stalled.store(true, Ordering::Relaxed);
                    let why = "the connection to NATS does not take more";
                    return Err(Error::Unavailable(why.to_owned()));
                };
                sent
            }
        };
        self.stalled.store(false, Ordering::Relaxed);
        sent.map_err(|error| Error::Unavailable(error.to_string()))
    }

    /// Queues a message from where nothing can be awaited; its order is not kept when the connection is behind.
    pub(super) fn send_soon(self: &Arc<Self>, message: OutboundMessage) {
        let link = self.clone();
        let mut sending = Box::pin(async move { link.send(message).await });
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        if sending.as_mut().poll(&mut cx).is_pending()
            && tokio::runtime::Handle::try_current().is_ok()
        {
            self.finish(async move {
                let _ = sending.await;
            });
        }
    }

    /// Sends a message whose answer comes back to whoever keeps what is returned.
    pub(super) async fn ask(
        &self,
        subject: String,
        headers: Option<HeaderMap>,
        payload: Bytes,
    ) -> Result<Awaited> {
        let (reply, awaited) = self.replies.expect();
        self.send(OutboundMessage {
            subject: subject.into(),
            reply: Some(reply.into()),
            payload,
            headers,
        })
        .await?;
        Ok(awaited)
    }
}
