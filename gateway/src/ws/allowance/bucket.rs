//! A token bucket of this node's own.

use std::time::{Duration, Instant};

/// Refills with time.
pub(super) struct Bucket {
    limit: Limit,
    /// Below zero when something is owed.
    tokens: f64,
    at: Instant,
}

/// A bucket's size and speed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limit {
    /// Tokens that come back in a second.
    pub(super) per_second: f64,
    /// Tokens of an idle bucket.
    pub(super) burst: f64,
}

impl Bucket {
    /// A full bucket.
    pub(super) fn new(limit: Limit) -> Self {
        Self {
            limit,
            tokens: limit.burst,
            at: Instant::now(),
        }
    }

    /// Takes a token; returns true if there was one.
    pub(super) fn take(&mut self) -> bool {
        self.take_at(Instant::now())
    }

    /// Takes a token that may not be there yet; returns the time until it is.
    pub(super) fn owe(&mut self) -> Option<Duration> {
        self.owe_at(Instant::now())
    }

    fn take_at(&mut self, now: Instant) -> bool {
        self.refill(now);
        let allowed = self.tokens >= 1.0;
        if allowed {
            self.tokens -= 1.0;
        }
        allowed
    }

    fn owe_at(&mut self, now: Instant) -> Option<Duration> {
        self.refill(now);
        self.tokens -= 1.0;
        let owed = -self.tokens / self.limit.per_second;
        (owed > 0.0).then(|| Duration::from_secs_f64(owed))
    }

    fn refill(&mut self, now: Instant) {
        let regained = now.duration_since(self.at).as_secs_f64() * self.limit.per_second;
        self.tokens = (self.tokens + regained).min(self.limit.burst);
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit {
        per_second: 10.0,
        burst: 3.0,
    };

    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let mut bucket = Bucket::new(LIMIT);
        let start = bucket.at;
        let passed = |bucket: &mut Bucket, at| (0..10).filter(|_| bucket.take_at(at)).count();
        assert_eq!(passed(&mut bucket, start), 3);
        assert_eq!(passed(&mut bucket, start + Duration::from_millis(200)), 2);
        assert_eq!(
            passed(&mut bucket, start + Duration::from_secs(60)),
            3,
            "no more than the burst"
        );
    }

    #[test]
    fn what_is_owed_is_waited_for_by_all_who_owe() {
        let mut bucket = Bucket::new(LIMIT);
        let start = bucket.at;
        let waits: Vec<_> = (0..5).map(|_| bucket.owe_at(start)).collect();
        let tenths = |n: u64| Some(Duration::from_millis(n * 100));
        assert_eq!(waits, [None, None, None, tenths(1), tenths(2)]);
        assert_eq!(bucket.owe_at(start + Duration::from_secs(1)), None);
    }
}
