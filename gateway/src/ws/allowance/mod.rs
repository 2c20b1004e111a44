//! What one user may still send through this gateway, on whatever socket.

mod bucket;
mod slice;

use std::time::Duration;

use lingxi_domain::UserId;
use lingxi_im::{Im, Spending};
use parking_lot::Mutex;

use bucket::{Bucket, Limit};
use slice::Slice;

/// Life signs that cost nothing: far more than any client needs.
const LIFE: Limit = Limit {
    per_second: 20.0,
    burst: 200.0,
};
/// Refusals that are answered at once; beyond them the sockets of the user are read more slowly.
const REFUSALS: Limit = Limit {
    per_second: 500.0,
    burst: 500.0,
};

/// From which of the user's buckets a frame is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Price {
    /// One message.
    Message,
    /// One request, in the same bucket as those over HTTP.
    Request,
    /// Nothing, as long as there are not too many; then a request.
    Life,
}

/// One user's, shared by their sockets here. The buckets themselves hold over all nodes: this keeps a slice of each, so
/// that a frame seldom waits for them. It ends with the user's last socket, and a new one begins empty.
pub(crate) struct Allowance {
    messages: Slice,
    requests: Slice,
    life: Mutex<Bucket>,
    refusals: Mutex<Bucket>,
}

impl Allowance {
    pub(crate) fn new(user: UserId) -> Self {
        Self {
            messages: Slice::new(user, Spending::Message),
            requests: Slice::new(user, Spending::Request),
            life: Mutex::new(Bucket::new(LIFE)),
            refusals: Mutex::new(Bucket::new(REFUSALS)),
        }
    }

    /// Pays for one frame; returns true if it may pass.
    pub(crate) async fn pay(&self, im: &Im, price: Price) -> bool {
        match price {
            Price::Message => self.messages.pay(im).await,
            Price::Life if self.life.lock().take() => true,
            Price::Request | Price::Life => self.requests.pay(im).await,
        }
    }

    /// A frame was refused for its cost. Returns how long its socket is not to be read.
    pub(crate) fn refused(&self) -> Option<Duration> {
        self.refusals.lock().owe()
    }
}
