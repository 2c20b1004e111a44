//! Whose turn it is: pure, with the time given.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// What a hash is computed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A login from where the user has logged in before.
    Known,
    /// A login from elsewhere.
    Login,
    /// A new account, or a new password.
    Registration,
}

/// How many may run and wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Hashes computed at once.
    pub(super) running: usize,
    /// Of these, so many only for known networks.
    pub(super) kept: usize,
    /// Hashes that wait.
    pub(super) waiting: usize,
    /// Of these, those from one network.
    pub(super) per_network: usize,
}

/// What a network has had counts half after this time.
const HALF_LIFE: Duration = Duration::from_secs(60);
/// What has become so little is nothing.
const FORGOTTEN: f64 = 0.01;
/// Networks remembered; beyond, those that had least are forgotten.
const NETWORKS: usize = 10_000;
/// While both wait, every so many turns a registration goes before a login from elsewhere.
const REGISTRATION_EVERY: u64 = 4;

/// One that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiter {
    /// Rises with every arrival.
    pub(super) id: u64,
    pub(super) kind: Kind,
    pub(super) network: Option<IpAddr>,
}

/// Who waits and who has had how much. Known networks go first, then logins, then registrations; among equals the network
/// that had least of late; one network's in the order of their coming.
#[derive(Debug)]
pub(super) struct Waiting {
    room: Room,
    waiters: Vec<Waiter>,
    running: usize,
    running_known: usize,
    turns: u64,
    had: HashMap<Option<IpAddr>, (f64, Instant)>,
}

impl Waiting {
    pub(super) fn new(room: Room) -> Self {
        Self {
            room,
            waiters: Vec::new(),
            running: 0,
            running_known: 0,
            turns: 0,
            had: HashMap::new(),
        }
    }

    /// Takes one more in. Where there is no room, whoever is named goes: the newcomer itself, or the last one of the
    /// network that waits most.
    pub(super) fn arrive(&mut self, waiter: Waiter) -> Option<u64> {
        let of = |waiters: &[Waiter], network| {
            let waiters = waiters.iter();
            waiters.filter(|w: &&Waiter| w.network == network).count()
        };
        let own = of(&self.waiters, waiter.network);
        if own >= self.room.per_network {
            return Some(waiter.id);
        }
        let mut gone = None;
        if self.waiters.len() >= self.room.waiting {
            // Those of known networks keep their places.
            let others = self.waiters.iter().filter(|w| w.kind != Kind::Known);
            let longest = others.max_by_key(|w| (of(&self.waiters, w.network), w.id));
            match longest.copied() {
                Some(longest)
                    if waiter.kind == Kind::Known
                        || of(&self.waiters, longest.network) > own + 1 =>
                {
                    self.waiters.retain(|w| w.id != longest.id);
                    gone = Some(longest.id);
                }
                _ => return Some(waiter.id),
            }
        }
        self.waiters.push(waiter);
        gone
    }

    /// Returns true if it was waiting.
    pub(super) fn withdraw(&mut self, id: u64) -> bool {
        let before = self.waiters.len();
        self.waiters.retain(|w| w.id != id);
        self.waiters.len() < before
    }

    /// The next one to run, if there is room for it; it runs from now on.
    pub(super) fn next(&mut self, now: Instant) -> Option<Waiter> {
        let others = self.running - self.running_known;
        let open_to_all = self.room.running.saturating_sub(self.room.kept).max(1);
        let may_run = |kind: Kind| {
            self.running < self.room.running && (kind == Kind::Known || others < open_to_all)
        };
        let registrations_first = self.turns % REGISTRATION_EVERY == REGISTRATION_EVERY - 1;
        let rank = |kind: Kind| match kind {
            Kind::Known => 0,
            Kind::Registration if registrations_first => 1,
            Kind::Login => 2,
            Kind::Registration => 3,
        };
        let order = |w: &Waiter| (rank(w.kind), self.had(w.network, now), w.id);
        let candidates = self.waiters.iter().filter(|w| may_run(w.kind));
        let next = *candidates.min_by(|a, b| {
            let (a, b) = (order(a), order(b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2))
        })?;
        self.waiters.retain(|w| w.id != next.id);
        self.running += 1;
        match next.kind {
            Kind::Known => self.running_known += 1,
            Kind::Login | Kind::Registration => self.turns += 1,
        }
        let had = self.had(next.network, now);
        self.had.insert(next.network, (had + 1.0, now));
        if self.had.len() > NETWORKS {
            self.forget_some(now);
        }
        Some(next)
    }

    /// One that ran has ended.
    pub(super) fn ended(&mut self, kind: Kind) {
        self.running -= 1;
        if kind == Kind::Known {
            self.running_known -= 1;
        }
    }

    /// How much this network had of late.
    fn had(&self, network: Option<IpAddr>, now: Instant) -> f64 {
        self.had.get(&network).map_or(0.0, |(had, at)| {
            let left = left_of(*had, now.saturating_duration_since(*at));
            if left < FORGOTTEN { 0.0 } else { left }
        })
    }

    fn forget_some(&mut self, now: Instant) {
        let mut all: Vec<f64> = self.had.keys().map(|&n| self.had(n, now)).collect();
        all.sort_by(f64::total_cmp);
        let median = all.get(all.len() / 2).copied().unwrap_or_default();
        let had: Vec<_> = self.had.drain().collect();
        let kept = had
            .into_iter()
            .filter(|(_, (had, at))| left_of(*had, now.saturating_duration_since(*at)) > median);
        self.had = kept.collect();
    }
}

fn left_of(had: f64, passed: Duration) -> f64 {
    had * 0.5_f64.powf(passed.as_secs_f64() / HALF_LIFE.as_secs_f64())
}

#[cfg(test)]
mod tests;
