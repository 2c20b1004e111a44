//! Answers to requests: given and awaited.

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::{NoReply, nats};

/// Answers one request. Dropped, the asker learns that nobody answered.
pub struct Replier(pub(crate) ReplierKind);

pub(crate) enum ReplierKind {
    Local(oneshot::Sender<Bytes>),
    Nats(nats::Answer),
}

impl Replier {
    /// Sends the answer; whether the asker still waits is not known.
    pub fn reply(self, payload: Bytes) {
        match self.0 {
            ReplierKind::Local(sender) => {
                let _ = sender.send(payload);
            }
            ReplierKind::Nats(answer) => answer.send(payload),
        }
    }
}

/// An answer that is on its way.
pub struct PendingReply(pub(crate) PendingKind);

pub(crate) enum PendingKind {
    NoResponders,
    Local(oneshot::Receiver<Bytes>, tokio::time::Instant),
    Nats(nats::Awaited, tokio::time::Instant),
}

impl PendingReply {
    /// Waits for the answer, at most as long as the request said.
    pub async fn wait(self) -> std::result::Result<Bytes, NoReply> {
        match self.0 {
            PendingKind::NoResponders => Err(NoReply::NoResponders),
            PendingKind::Local(receiver, deadline) => {
                match tokio::time::timeout_at(deadline, receiver).await {
                    Ok(Ok(payload)) => Ok(payload),
                    Ok(Err(_)) | Err(_) => Err(NoReply::Timeout),
                }
            }
            PendingKind::Nats(awaited, deadline) => nats::answer(awaited, deadline).await,
        }
    }

    /// Whether it is known already that nobody listens. On a server that is known only later: `false`.
    pub fn is_no_responders(&self) -> bool {
        matches!(self.0, PendingKind::NoResponders)
    }
}
