//! Knowing that the server has processed everything that was sent: a message to oneself that comes back. Those who ask at
//! the same time share one.
//!
//! A server handles a connection's commands in order, so a subscription sent before the message is in force when it comes
//! back. In a cluster that holds for the server one is connected to; the others learn of the interest a moment later,
//! which the comparison that follows every connect covers.

use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use crate::{Error, Result};

#[derive(Default)]
pub(super) struct Barrier {
    /// Callers waiting for the next round trip.
    pub(super) waiting: Mutex<Vec<oneshot::Sender<()>>>,
    pub(super) wake: Notify,
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
