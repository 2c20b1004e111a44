//! When to come back.

use std::time::Duration;

/// The first wait.
const FIRST: Duration = Duration::from_millis(250);
/// The longest wait that is chosen here.
const LONGEST: Duration = Duration::from_secs(15);
/// What a server names is believed up to here.
const LONGEST_NAMED: Duration = Duration::from_secs(60);

/// Waits that grow, each anywhere between its half and its whole, so that not all who lost a server come back at once.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    tries: u32,
    named: Option<Duration>,
}

impl Backoff {
    /// The server goes away, and says when to come back.
    pub(super) fn named(&mut self, wait: Duration) {
        self.named = Some(wait.min(LONGEST_NAMED));
    }

    /// The next wait.
    pub(super) fn next(&mut self) -> Duration {
        if let Some(named) = self.named.take() {
            return named;
        }
        let whole = LONGEST.min(FIRST * 2_u32.pow(self.tries.min(10)));
        self.tries += 1;
        whole.mul_f64(rand::random_range(0.5..=1.0))
    }

    /// The connection works. What the server named still holds: it may say more before it goes.
    pub(super) fn works(&mut self) {
        self.tries = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_the_server_is_believed() {
        let mut backoff = Backoff::default();
        let first = backoff.next();
        assert!(first >= FIRST / 2 && first <= FIRST);
        for _ in 0..20 {
            assert!(backoff.next() <= LONGEST);
        }
        assert!(backoff.next() >= LONGEST / 2);
        backoff.named(Duration::from_millis(1_730));
        assert_eq!(backoff.next(), Duration::from_millis(1_730));
        assert!(backoff.next() >= LONGEST / 2);
        backoff.named(Duration::from_secs(86_400));
        assert_eq!(backoff.next(), LONGEST_NAMED);
        backoff.named(Duration::from_millis(1_730));
        backoff.works();
        assert_eq!(backoff.next(), Duration::from_millis(1_730));
        assert!(backoff.next() <= FIRST);
    }
}
