//! The messages to oneself that a barrier waits for.

use std::sync::Arc;
use std::time::Duration;

use async_nats::message::OutboundMessage;
use bytes::Bytes;
use tokio::time::timeout;

use super::link::Link;

/// How long one message may take to come back, and how often it is tried.
const ROUND_TRIP: Duration = Duration::from_secs(1);
const ATTEMPTS: usize = 5;

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
