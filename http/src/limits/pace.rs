//! Until when a body must have come.

use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// The slowest that a large body may come in the long run, in bytes a second.
const SLOWEST: u64 = 32 * 1024;

/// The deadline of one body.
pub(super) struct Pace {
    begun: Instant,
    allowed: Duration,
    /// A large body has as long again after each piece, as long as it is not slower than [`SLOWEST`] in all.
    streamed: bool,
    late: Pin<Box<Sleep>>,
}

impl Pace {
    pub(super) fn new(allowed: Duration, streamed: bool) -> Self {
        let begun = Instant::now();
        Self {
            begun,
            allowed,
            streamed,
            late: Box::pin(tokio::time::sleep_until(begun + allowed)),
        }
    }

    /// So many bytes have come.
    pub(super) fn arrived(&mut self, bytes: usize) {
        if self.streamed {
            let slowest = Duration::from_secs(bytes as u64 / SLOWEST);
            let in_all = self.begun + self.allowed + slowest;
            let until = in_all.min(Instant::now() + self.allowed);
            self.late.as_mut().reset(until);
        }
    }

    pub(super) fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        self.late.as_mut().poll(context).is_ready()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWED: Duration = Duration::from_secs(30);

    /// Seconds until it is late, where so many bytes come each second for so long.
    async fn late_after(streamed: bool, bytes: usize, seconds: usize) -> u64 {
        let mut pace = Pace::new(ALLOWED, streamed);
        let begun = Instant::now();
        for second in 1..2_000 {
            tokio::time::advance(Duration::from_secs(1)).await;
            if std::future::poll_fn(|context| pace.is_late(context).into()).await {
                break;
            }
            if second <= seconds {
                pace.arrived(second * bytes);
            }
        }
        begun.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn a_large_body_has_time_as_long_as_it_comes() {
        assert_eq!(late_after(false, 1 << 20, 1_000).await, 30);
        assert!(late_after(true, 1 << 16, 1_000).await > 1_000);
        assert_eq!(late_after(true, 1 << 20, 100).await, 130, "it has stopped");
        let trickle = late_after(true, 1 << 10, 1_000).await;
        assert!((30..=33).contains(&trickle), "{trickle}");
    }
}
