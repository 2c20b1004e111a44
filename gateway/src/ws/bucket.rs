//! A connection's message rate: a token bucket of its own, since one user has one connection by default.

use std::time::Instant;

/// Takes a token a message; refills with time.
pub(crate) struct Bucket {
    limit: Option<Limit>,
    tokens: f64,
    at: Instant,
}

/// Messages that a connection may send.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// Messages a second over time.
    pub per_second: f64,
    /// Messages at once after a pause.
    pub burst: f64,
}

impl Bucket {
    /// A full bucket; without a limit it never runs dry.
    pub(crate) fn new(limit: Option<Limit>) -> Self {
        Self {
            limit,
            tokens: limit.map_or(0.0, |l| l.burst),
            at: Instant::now(),
        }
    }

    /// Whether a message may pass now.
    pub(crate) fn take(&mut self) -> bool {
        self.take_at(Instant::now())
    }

    fn take_at(&mut self, now: Instant) -> bool {
        let Some(limit) = self.limit else { return true };
        let regained = now.duration_since(self.at).as_secs_f64() * limit.per_second;
        self.tokens = (self.tokens + regained).min(limit.burst);
        self.at = now;
        let allowed = self.tokens >= 1.0;
        if allowed {
            self.tokens -= 1.0;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let mut bucket = Bucket::new(Some(Limit {
            per_second: 10.0,
            burst: 3.0,
        }));
        let start = bucket.at;
        let passed = |bucket: &mut Bucket, at| (0..10).filter(|_| bucket.take_at(at)).count();
        assert_eq!(passed(&mut bucket, start), 3);
        assert_eq!(passed(&mut bucket, start + Duration::from_millis(200)), 2);
        assert_eq!(
            passed(&mut bucket, start + Duration::from_secs(60)),
            3,
            "no more than the burst"
        );
        assert!(Bucket::new(None).take());
    }
}
