//! Knowing that the server has processed everything that was sent: a message to oneself that comes back. Those who ask at
//! the same time share one.
//!
//! A server handles a connection's commands in order, so a subscription sent before the message is in force when it comes
//! back. In a cluster that holds for the server one is connected to; the others learn of the interest a moment later,
//! which the comparison that follows every connect covers.

use std::sync::Arc;
use std::time::Duration;

use async_nats::message::OutboundMessage;
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use super::link::Link;
use crate::{Error, Result};

/// How long one message may take to come back, and how often it is tried.
const ROUND_TRIP: Duration = Duration::from_secs(1);
const ATTEMPTS: usize = 5;

#[derive(Default)]
pub(super) struct Barrier {
    /// Callers waiting for the next round trip.
    waiting: Mutex<Vec<oneshot::Sender<()>>>,
    wake: Notify,
}

impl Barrier {
    /// Returns when the server has processed everything that was sent before the call.
    pub(super) async fn pass(&self) -> Result<()> {
        let (sender, passed) = oneshot::channel();
        self.waiting.lock().push(sender);
        self.wake.notify_one();
        passed.await.map_err(|_| {
            Error::Unavailable("NATS does not answer, or the connection was lost".to_owned())
        })
    }
}

/// Makes the round trips.
pub(super) async fn run(link: Arc<Link>) {
    let barrier = &link.barrier;
    loop {
        barrier.wake.notified().await;
        loop {
            // Whoever comes from here on waits for the next one: what it sent may be behind this message.
            let waiting = std::mem::take(&mut *barrier.waiting.lock());
            if waiting.is_empty() {
                break;
            }
            if round_trip(&link).await {
                for passed in waiting {
                    let _ = passed.send(());
                }
            }
        }
    }
}

async fn round_trip(link: &Link) -> bool {
    for _ in 0..ATTEMPTS {
        let (subject, awaited) = link.replies.expect();
        let message = OutboundMessage {
            subject: subject.into(),
            reply: None,
            payload: Bytes::new(),
            headers: None,
        };
        if link.send(message).await.is_err() {
            return false;
        }
        // Fails at once when the connection goes; the next one has the subscriptions again, so trying again is right.
        if let Ok(Some(_)) = timeout(ROUND_TRIP, awaited.answer()).await {
            return true;
        }
    }
    false
}
