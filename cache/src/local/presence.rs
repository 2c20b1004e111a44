//! Who is connected to which node, as this process was told.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lingxi_domain::UserId;
use parking_lot::RwLock;

/// Between two sweeps that drop what has run out.
const SWEEP: Duration = Duration::from_secs(10);

/// One connection's node, and until when it is believed. Nearly always there is one a user.
type Seats = Vec<(Arc<str>, Instant)>;

#[derive(Default)]
struct Held {
    users: HashMap<UserId, Seats>,
    swept: Option<Instant>,
}

#[derive(Default)]
pub(super) struct Presence(RwLock<Held>);

impl Presence {
    pub(super) fn refresh(&self, node: &str, users: &[UserId], ttl: Duration) {
        let now = Instant::now();
        let node: Arc<str> = node.into();
        let mut held = self.0.write();
        if held.swept.is_none_or(|last| now - last > SWEEP) {
            held.swept = Some(now);
            held.users
                .retain(|_, seats| seats.iter().any(|(_, until)| *until > now));
        }
        for &user in users {
            let seats = held.users.entry(user).or_default();
            seats.retain(|(at, until)| *at != node && *until > now);
            seats.push((node.clone(), now + ttl));
        }
    }

    pub(super) fn clear(&self, node: &str, users: &[UserId]) {
        let mut held = self.0.write();
        for user in users {
            if let Some(seats) = held.users.get_mut(user) {
                seats.retain(|(at, _)| **at != *node);
                if seats.is_empty() {
                    held.users.remove(user);
                }
            }
        }
    }

    pub(super) fn online(&self, users: &[UserId]) -> Vec<bool> {
        let now = Instant::now();
        let held = self.0.read();
        let online = |user| {
            let seats: Option<&Seats> = held.users.get(user);
            seats.is_some_and(|seats| seats.iter().any(|(_, until)| *until > now))
        };
        users.iter().map(online).collect()
    }

    pub(super) fn count(&self) -> u64 {
        let now = Instant::now();
        let held = self.0.read();
        let online = |seats: &&Seats| seats.iter().any(|(_, until)| *until > now);
        held.users.values().filter(online).count() as u64
    }

    /// Everybody by node, each node with the longest time that one of its users has left.
    pub(super) fn seats(&self) -> Vec<(Arc<str>, Vec<UserId>, Duration)> {
        let now = Instant::now();
        let mut nodes: HashMap<Arc<str>, (Vec<UserId>, Duration)> = HashMap::new();
        for (user, seats) in &self.0.read().users {
            for (node, until) in seats.iter().filter(|(_, until)| *until > now) {
                let (users, longest) = nodes.entry(node.clone()).or_default();
                users.push(*user);
                *longest = (*longest).max(*until - now);
            }
        }
        let flat = |(node, (users, longest))| (node, users, longest);
        nodes.into_iter().map(flat).collect()
    }
}
