//! The bytes that wait for all sockets of this process together.
//!
//! Every byte in a queue is in the process's budget. When little of it is left, the largest queues are closed, not those
//! that happen to grow: a client that reads has a small one.

use std::sync::Arc;

use lingxi_runtime::budget::{Budget, Hold};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::registry::Registry;
use super::session::Session;

/// What all sessions' queues are paid from.
pub(crate) struct Queues {
    budget: Budget,
    /// Little is left.
    tight: Notify,
}

impl Queues {
    pub(crate) fn new(budget: Budget) -> Arc<Self> {
        let tight = Notify::new();
        Arc::new(Self { budget, tight })
    }

    /// A queue's own part of the budget, empty at first.
    pub(super) fn hold(&self) -> Option<Hold> {
        self.budget.take(0)
    }

    /// Bytes that are held now, by whomever.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.budget.held()
    }

    /// A queue has grown: wakes whoever makes room when little is left.
    pub(super) fn grown(&self) {
        if self.budget.held() > self.high() {
            self.tight.notify_one();
        }
    }

    /// From here on the largest queues are closed. What is above it serves the queues that grow meanwhile.
    fn high(&self) -> usize {
        self.budget.most() / 8 * 7
    }

    /// To here.
    fn low(&self) -> usize {
        self.budget.most() / 4 * 3
    }

    /// Closes the largest queues until enough is left. Where something else than sockets holds the budget they keep a
    /// quarter of it.
    pub(super) fn make_room(&self, sessions: &[Arc<Session>]) {
        if self.budget.held() <= self.high() {
            return;
        }
        let sized = |session| (Session::waiting_bytes(session), session);
        let mut queues: Vec<(usize, &Session)> =
            sessions.iter().map(Arc::as_ref).map(sized).collect();
        queues.sort_unstable_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
        let mut waiting: usize = queues.iter().map(|(bytes, _)| bytes).sum();
        let mut held = self.budget.held();
        for (bytes, session) in queues {
            if held <= self.low() || waiting <= self.budget.most() / 4 || bytes == 0 {
                break;
            }
            tracing::warn!(
                bytes,
                user = session.user_id,
                "a queue is closed to make room for others"
            );
            session.overflow();
            held = held.saturating_sub(bytes);
            waiting -= bytes;
        }
    }
}

/// Makes room whenever little is left, until `stop`.
pub(crate) async fn run(queues: Arc<Queues>, sessions: Arc<Registry>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = queues.tight.notified() => queues.make_room(&sessions.all()),
        }
    }
}
