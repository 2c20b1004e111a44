//! One user's connections at a gateway, and what it has heard of those elsewhere.

use std::sync::Arc;
use std::time::Duration;

use lingxi_bus::Subscription;
use lingxi_domain::UserId;
use tokio::time::Instant;

use super::allowance::Allowance;
use super::session::Session;

/// How long a connection of another node counts after it was announced. Each node that hears of a new one announces its
/// own, so that what counts is known when it is needed; nobody says when one ends.
const HEARD: Duration = Duration::from_secs(2);

/// What is known of one user.
pub(super) struct Slot {
    pub(super) sessions: Vec<Arc<Session>>,
    pub(super) subscription: Option<Subscription>,
    pub(super) allowance: Arc<Allowance>,
    /// Connections of other nodes that were announced last, the newest of them at most.
    elsewhere: Vec<(i64, Instant)>,
}

impl Slot {
    pub(super) fn new(user: UserId) -> Self {
        Self {
            sessions: Vec::with_capacity(1),
            subscription: None,
            allowance: Arc::new(Allowance::new(user)),
            elsewhere: Vec::new(),
        }
    }

    /// Takes note of a connection, wherever it is. Returns true if nothing was known of it.
    pub(super) fn heard_of(&mut self, connection_id: i64, most: usize) -> bool {
        self.elsewhere.retain(|(_, at)| at.elapsed() < HEARD);
        let own = |s: &Arc<Session>| s.connection_id == connection_id;
        if self.sessions.iter().any(own) {
            return false;
        }
        let known = self.elsewhere.iter().any(|(id, _)| *id == connection_id);
        if !known {
            self.elsewhere.push((connection_id, Instant::now()));
            self.elsewhere
                .sort_unstable_by_key(|(id, _)| std::cmp::Reverse(*id));
            self.elsewhere.truncate(most);
        }
        !known
    }

    /// Those of the sessions here that are not among the user's newest `most`, and those that are.
    pub(super) fn judged(&self, most: usize) -> (Vec<Arc<Session>>, Vec<Arc<Session>>) {
        let newer = |than: i64| {
            let here = self.sessions.iter().map(|s| s.connection_id);
            let all = here.chain(self.elsewhere.iter().map(|(id, _)| *id));
            all.filter(|&id| id > than).count()
        };
        let is_over = |s: &&Arc<Session>| newer(s.connection_id) >= most;
        self.sessions.iter().cloned().partition(|s| is_over(&s))
    }
}
