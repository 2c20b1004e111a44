//! Attempts of one process that may fail.

use std::time::Instant;

use moka::ops::compute::Op;
use moka::sync::Cache as Map;

use super::mortal::{CAPACITY, Mortal, OwnTtl};
use crate::{Backoff, Decision};

#[derive(Clone, Copy)]
struct Attempts {
    count: u32,
    forgotten_at: Instant,
    closed_until: Instant,
}

pub(super) struct AttemptCounts(Map<String, Mortal<Attempts>>);

impl AttemptCounts {
    pub(super) fn new() -> Self {
        Self(
            Map::builder()
                .max_capacity(CAPACITY)
                .expire_after(OwnTtl::<false>)
                .build(),
        )
    }

    pub(super) fn attempt(&self, key: &str, backoff: Backoff) -> Decision {
        let mut decision = Decision::Allowed;
        self.0.entry_by_ref(key).and_upsert_with(|kept| {
            let now = Instant::now();
            let kept = kept.map(moka::Entry::into_value);
            let kept = kept.map(|kept| kept.value);
            let attempts = match kept {
                Some(kept) if kept.closed_until > now => {
                    decision = Decision::RetryAfter(kept.closed_until - now);
                    kept
                }
                kept => {
                    let count = kept.map_or(0, |kept| kept.count).saturating_add(1);
                    let delay = backoff.after(count);
                    Attempts {
                        count,
                        forgotten_at: now + backoff.memory.max(delay),
                        closed_until: now + delay,
                    }
                }
            };
            Mortal {
                value: attempts,
                // One that came too early does not make the memory longer.
                ttl: attempts.forgotten_at.saturating_duration_since(now),
            }
        });
        decision
    }

    pub(super) fn release(&self, key: &str) {
        self.0.entry_by_ref(key).and_compute_with(|kept| {
            let Some(Mortal { value, .. }) = kept.map(moka::Entry::into_value) else {
                return Op::Nop;
            };
            if value.count <= 1 {
                return Op::Remove;
            }
            let now = Instant::now();
            Op::Put(Mortal {
                value: Attempts {
                    count: value.count - 1,
                    closed_until: now,
                    ..value
                },
                ttl: value.forgotten_at.saturating_duration_since(now),
            })
        });
    }

    pub(super) fn forget(&self, key: &str) {
        self.0.invalidate(key);
    }
}
