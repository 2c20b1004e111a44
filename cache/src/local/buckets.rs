//! Token buckets of one process.

use std::time::{Duration, Instant};

use moka::sync::Cache as Map;

use super::mortal::{CAPACITY, Mortal, OwnTtl};
use crate::{Decision, Rate};

/// The longest that a refused caller is told to wait, and that a bucket is kept.
const LONGEST: Duration = Duration::from_secs(86_400);
/// A full bucket is kept so much longer, as Redis keeps it.
const MARGIN: Duration = Duration::from_secs(1);

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

/// Each is kept until it is full again, when it is like a new one.
pub(super) struct Buckets(Map<String, Mortal<Bucket>>);

impl Buckets {
    pub(super) fn new() -> Self {
        Self(
            Map::builder()
                .max_capacity(CAPACITY)
                .expire_after(OwnTtl::<false>)
                .build(),
        )
    }

    pub(super) fn take(&self, key: &str, rate: Rate, cost: u32) -> Decision {
        let cost = f64::from(cost);
        self.change(key, rate, |tokens| {
            if *tokens >= cost {
                *tokens -= cost;
                return Decision::Allowed;
            }
            Decision::RetryAfter(seconds((cost - *tokens) / rate.refill()))
        })
        .unwrap_or(Decision::Allowed)
    }

    pub(super) fn take_upto(&self, key: &str, rate: Rate, want: u32) -> u32 {
        self.change(key, rate, |tokens| {
            let taken = tokens.floor().min(f64::from(want));
            *tokens -= taken;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "whole, and between 0 and `want`"
            )]
            let taken = taken as u32;
            taken
        })
        .unwrap_or_default()
    }

    /// Changes what is in the bucket now; nobody else does meanwhile.
    fn change<T>(&self, key: &str, rate: Rate, change: impl FnOnce(&mut f64) -> T) -> Option<T> {
        let burst = f64::from(rate.burst);
        let mut changed = None;
        self.0.entry_by_ref(key).and_upsert_with(|kept| {
            let now = Instant::now();
            let mut tokens = kept.map_or(burst, |kept| {
                let Bucket { tokens, at } = kept.into_value().value;
                let passed = now.saturating_duration_since(at).as_secs_f64();
                (tokens + passed * rate.refill()).min(burst)
            });
            changed = Some(change(&mut tokens));
            Mortal {
                value: Bucket { tokens, at: now },
                ttl: seconds((burst - tokens) / rate.refill()).saturating_add(MARGIN),
            }
        });
        changed
    }
}

fn seconds(wait: f64) -> Duration {
    Duration::try_from_secs_f64(wait).map_or(LONGEST, |wait| wait.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_without_number_are_kept_in_a_bounded_map() {
        let buckets = Buckets::new();
        let rate = Rate::per_minute(1);
        for number in 0..CAPACITY + 50_000 {
            buckets.take(&format!("stranger {number}"), rate, 1);
        }
        buckets.0.run_pending_tasks();
        assert!(buckets.0.entry_count() <= CAPACITY);
    }
}
