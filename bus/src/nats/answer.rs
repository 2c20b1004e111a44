//! Answers to requests, over the server.

use std::sync::Arc;

use async_nats::message::OutboundMessage;
use bytes::Bytes;
use tokio::time::{Instant, timeout_at};

use super::headers;
use super::link::Link;
use super::replies::Awaited;
use crate::NoReply;

/// Answers a request that came from the server.
pub(crate) struct Answer {
    pub(super) link: Arc<Link>,
    pub(super) to: Option<async_nats::Subject>,
}

impl Answer {
    pub(crate) fn send(mut self, payload: Bytes) {
        if let Some(subject) = self.to.take() {
            self.link.send_soon(OutboundMessage {
                subject,
                reply: None,
                payload,
                headers: None,
            });
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(subject) = self.to.take() {
            self.link.send_soon(OutboundMessage {
                subject,
                reply: None,
                payload: Bytes::new(),
                headers: Some(headers::gave_up()),
            });
        }
    }
}

/// The answer to a request, as [`crate::PendingReply::wait`] gives it.
pub(crate) async fn answer(
    awaited: Awaited,
    deadline: Instant,
) -> std::result::Result<Bytes, NoReply> {
    match timeout_at(deadline, awaited.answer()).await {
        Ok(Some(message)) if message.status == Some(async_nats::StatusCode::NO_RESPONDERS) => {
            Err(NoReply::NoResponders)
        }
        Ok(Some(message)) => Ok(message.payload),
        Ok(None) | Err(_) => Err(NoReply::Timeout),
    }
}
