//! While something that is tried again and again does not succeed: when to try again, when to stop keeping clients
//! waiting, and what to log of it.

use std::fmt::Display;
use std::time::Duration;

use tokio::time::Instant;

/// Pause after the first failure; doubled after each further one.
const SHORTEST: Duration = Duration::from_millis(50);
/// The longest pause: so soon after its cause has ended, the outage ends too.
const LONGEST: Duration = Duration::from_secs(1);
/// After this time of failures only, clients are told instead of kept waiting.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often one that goes on is logged.
const LOGGED: Duration = Duration::from_secs(10);

/// Failures in a row.
#[derive(Debug)]
pub struct Outage {
    what: &'static str,
    since: Option<Instant>,
    pause: Duration,
    next_try: Instant,
    logged: Instant,
}

impl Outage {
    /// None yet; `what` names in the log what it is that fails.
    pub fn of(what: &'static str) -> Self {
        let now = Instant::now();
        Self {
            what,
            since: None,
            pause: SHORTEST,
            next_try: now,
            logged: now,
        }
    }

    /// It failed: it is not tried again before [`Self::next_try`].
    pub fn failed(&mut self, now: Instant, error: &dyn Display) {
        let what = self.what;
        if self.since.is_none() {
            self.since = Some(now);
            self.logged = now;
            self.pause = SHORTEST;
            tracing::warn!(%error, "{what} failed; trying again");
        } else if now - self.logged >= LOGGED {
            self.logged = now;
            let seconds = self.since.map_or(0, |since| (now - since).as_secs());
            tracing::error!(%error, seconds, "{what} still fails; trying again");
        }
        self.next_try = now + self.pause;
        self.pause = (self.pause * 2).min(LONGEST);
    }

    /// It succeeded.
    pub fn over(&mut self, now: Instant) {
        if let Some(since) = self.since.take() {
            let seconds = (now - since).as_secs_f64();
            tracing::info!(seconds, "{} succeeded again", self.what);
        }
        self.next_try = now;
    }

    /// Nothing has succeeded for so long that clients are told.
    pub fn lasts(&self, now: Instant) -> bool {
        self.since.is_some_and(|since| now - since >= PATIENCE)
    }

    /// When it may be tried again.
    pub fn next_try(&self) -> Instant {
        self.next_try
    }

    /// Waits until it may be tried again.
    pub async fn rest(&self) {
        tokio::time::sleep_until(self.next_try).await;
    }

    /// Returns true if it is too early to try again.
    pub fn rests(&self, now: Instant) -> bool {
        self.since.is_some() && now < self.next_try
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_second_and_begin_anew_after_a_success() {
        let mut outage = Outage::of("it");
        let mut now = Instant::now();
        let mut pauses = Vec::new();
        for _ in 0..7 {
            assert!(!outage.rests(now));
            outage.failed(now, &"full");
            assert!(outage.rests(now));
            pauses.push((outage.next_try() - now).as_millis());
            now = outage.next_try();
        }
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1000, 1000]);
        outage.over(now);
        outage.failed(now, &"full");
        assert_eq!((outage.next_try() - now).as_millis(), 50);
    }

    #[test]
    fn it_lasts_when_nothing_succeeded_for_two_seconds() {
        let mut outage = Outage::of("it");
        let now = Instant::now();
        let after = |ms| now + Duration::from_millis(ms);
        assert!(!outage.lasts(now));
        outage.failed(now, &"full");
        outage.failed(after(1900), &"full");
        assert!(!outage.lasts(after(1900)));
        assert!(outage.lasts(after(2000)));
        outage.over(after(2000));
        outage.failed(after(2001), &"full");
        assert!(!outage.lasts(after(2001)), "another one");
    }
}
