//! Who is soon to be compared with the store.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::session::Session;

/// A new connection is compared with the store once more after this time.
const FIRST_COMPARISON: Duration = Duration::from_secs(2);
/// New connections that wait for their first comparison; more wait for the next of all.
const NEW: usize = 65_536;

/// New connections waiting for their first comparison; all wait equally long, so they come due in order.
#[derive(Default)]
pub(crate) struct Comparisons {
    waiting: Mutex<VecDeque<(Instant, Weak<Session>)>>,
}

impl Comparisons {
    pub(crate) fn soon(&self, session: &Arc<Session>) {
        let due = Instant::now() + FIRST_COMPARISON;
        let mut waiting = self.waiting.lock();
        if waiting.len() < NEW {
            waiting.push_back((due, Arc::downgrade(session)));
        }
    }

    pub(super) fn take_due(&self) -> Vec<Arc<Session>> {
        let now = Instant::now();
        let mut waiting = self.waiting.lock();
        let count = waiting.iter().take_while(|(due, _)| *due <= now).count();
        waiting
            .drain(..count)
            .filter_map(|(_, session)| session.upgrade())
            .collect()
    }
}
