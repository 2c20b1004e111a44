//! Live subjects. A few driver tasks call the sinks of many subscriptions; a subscription has no task of its own.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use async_nats::message::OutboundMessage;
use async_nats::{Message as Received, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::answer::Answer;
use super::headers;
use super::link::Link;
use crate::reply::{PendingKind, ReplierKind};
use crate::{Error, Message, PendingReply, Replier, Result, Sink, Subject};

/// Messages that one subscription may hand over before the others have their turn.
const TURN: usize = 32;
/// New subscriptions that may wait for their driver.
const ADDED_AHEAD: usize = 1024;

/// A subscription: shared by its driver and by whoever keeps it alive.
struct Listener {
    subject: Subject,
    sink: Arc<dyn Sink>,
    messages: Mutex<Messages>,
}

struct Messages {
    /// `None` once the subscription has ended.
    subscriber: Option<Subscriber>,
    /// Wakes the driver.
    driver: Option<Waker>,
}

/// Ends the subscription when dropped.
pub(super) struct Guard(Arc<Listener>);

impl Drop for Guard {
    fn drop(&mut self) {
        let (subscriber, driver) = {
            let mut messages = self.0.messages.lock();
            (messages.subscriber.take(), messages.driver.take())
        };
        // Dropped outside the lock: it tells the server.
        drop(subscriber);
        if let Some(driver) = driver {
            driver.wake();
        }
    }
}

/// The way to the driver tasks.
pub(super) struct Drivers(Vec<mpsc::Sender<Pump>>);

impl Drivers {
    pub(super) fn start(link: &Arc<Link>) -> Self {
        let count = std::thread::available_parallelism().map_or(1, |n| n.get().min(4));
        let start = |_| {
            let (sender, added) = mpsc::channel(ADDED_AHEAD);
            link.spawn(drive(added));
            sender
        };
        Self((0..count).map(start).collect())
    }

    /// See [`crate::Bus::subscribe`]. Callers that come together share a round trip to the server.
    pub(super) async fn subscribe(
        &self,
        link: &Arc<Link>,
        subject: Subject,
        group: Option<&str>,
        sink: Arc<dyn Sink>,
    ) -> Result<Guard> {
        link.require_connection()?;
        let name = link.names.live(&subject);
        let subscriber = match group {
            None => link.client.subscribe(name).await,
            Some(group) => link.client.queue_subscribe(name, group.to_owned()).await,
        };
        let subscriber = subscriber.map_err(|error| Error::Unavailable(error.to_string()))?;
        let listener = Arc::new(Listener {
            subject,
            sink,
            messages: Mutex::new(Messages {
                subscriber: Some(subscriber),
                driver: None,
            }),
        });
        let guard = Guard(listener.clone());
        let link = link.clone();
        let driver = Arc::as_ptr(&listener) as usize / 64 % self.0.len();
        let barrier = link.clone();
        if let Some(driver) = self.0.get(driver) {
            let _ = driver.send(Pump { listener, link }).await;
        }
        barrier.barrier.pass().await?;
        Ok(guard)
    }
}

async fn drive(mut added: mpsc::Receiver<Pump>) {
    let mut pumps = FuturesUnordered::new();
    loop {
        tokio::select! {
            pump = added.recv() => match pump {
                Some(pump) => pumps.push(pump),
                None => return,
            },
            Some(()) = pumps.next(), if !pumps.is_empty() => {}
        }
    }
}

/// Hands a subscription's messages to its sink, in order, until it ends.
struct Pump {
    listener: Arc<Listener>,
    link: Arc<Link>,
}

impl Future for Pump {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..TURN {
            let received = {
                let mut messages = self.listener.messages.lock();
                let Some(subscriber) = messages.subscriber.as_mut() else {
                    return Poll::Ready(());
                };
                match subscriber.poll_next_unpin(cx) {
                    Poll::Ready(Some(received)) => received,
                    Poll::Ready(None) => return Poll::Ready(()),
                    Poll::Pending => {
                        if !messages
                            .driver
                            .as_ref()
                            .is_some_and(|w| w.will_wake(cx.waker()))
                        {
                            messages.driver = Some(cx.waker().clone());
                        }
                        return Poll::Pending;
                    }
                }
            };
            // Outside the lock: a sink may end its own subscription.
            self.deliver(received);
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Pump {
    fn deliver(&self, received: Received) {
        let reply = received.reply.map(|to| {
            Replier(ReplierKind::Nats(Answer {
                link: self.link.clone(),
                to: Some(to),
            }))
        });
        let Some(trace) = headers::incoming(received.headers.as_ref(), &received.subject) else {
            return;
        };
        let message = Message {
            payload: received.payload,
            reply,
            trace,
        };
        let (sink, subject) = (&self.listener.sink, &self.listener.subject);
        // A driver serves thousands of listeners: the panic of one must not silence the others.
        if catch_unwind(AssertUnwindSafe(|| sink.deliver(subject, message))).is_err() {
            tracing::error!(%subject, "a listener panicked on a message");
        }
    }
}

pub(super) async fn publish(link: &Link, subject: &Subject, payload: Bytes) -> Result<()> {
    link.send(OutboundMessage {
        subject: link.names.live(subject).into(),
        reply: None,
        payload,
        headers: Some(headers::outgoing()),
    })
    .await
}

pub(super) async fn request(
    link: &Link,
    subject: &Subject,
    payload: Bytes,
    deadline: Instant,
) -> Result<PendingReply> {
    let headers = Some(headers::outgoing());
    let awaited = link.ask(link.names.live(subject), headers, payload).await?;
    Ok(PendingReply(PendingKind::Nats(awaited, deadline)))
}
