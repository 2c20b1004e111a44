//! The bytes that wait for all sockets of this process together.
//!
//! Every byte in a queue is in the process's budget. When little of it is left, the largest queues are closed, not those
//! that happen to grow: a client that reads has a small one.

use std::sync::Arc;

use lingxi_runtime::budget::{Budget, Hold};
use tokio::sync::Notify;

/// What all sessions' queues are paid from.
pub(crate) struct Queues {
    pub(super) budget: Budget,
    /// Little is left.
    pub(super) tight: Notify,
}

impl Queues {
    pub(crate) fn new(budget: Budget) -> Arc<Self> {
        let tight = Notify::new();
        Arc::new(Self { budget, tight })
    }

    /// A queue's, or a list's, own part of the budget, empty at first.
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
    pub(super) fn high(&self) -> usize {
        self.budget.most() / 8 * 7
    }

    /// To here.
    pub(super) fn low(&self) -> usize {
        self.budget.most() / 4 * 3
    }
}
