//! Tokens of a bucket that holds over all nodes, some of which are kept here.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use lingxi_domain::{UserId, now_ms};
use lingxi_im::{Im, Spending};

/// Tokens asked for at a time. What is left of them is lost with the user's last socket here.
const SIZE: u32 = 10;
/// A bucket that was found empty is not asked again for this long.
const EMPTY: Duration = Duration::from_millis(25);

/// A part of one user's bucket.
pub(super) struct Slice {
    user: UserId,
    what: Spending,
    tokens: AtomicU32,
    /// Until when the bucket is taken for empty, milliseconds since the Unix epoch.
    empty_until: AtomicU64,
}

impl Slice {
    pub(super) fn new(user: UserId, what: Spending) -> Self {
        Self {
            user,
            what,
            tokens: AtomicU32::new(0),
            empty_until: AtomicU64::new(0),
        }
    }

    /// Takes a token, from the bucket itself when none is kept here; returns true if there was one.
    pub(super) async fn pay(&self, im: &Im) -> bool {
        if self.take() {
            return true;
        }
        let now = u64::try_from(now_ms()).unwrap_or(0);
        if now < self.empty_until.load(Ordering::Relaxed) {
            return false;
        }
        let granted = im.limits().slice(self.user, self.what, SIZE).await;
        match granted.checked_sub(1) {
            Some(kept) => {
                self.tokens.fetch_add(kept, Ordering::Relaxed);
                true
            }
            None => {
                let pause = u64::try_from(EMPTY.as_millis()).unwrap_or(0);
                self.empty_until.store(now + pause, Ordering::Relaxed);
                false
            }
        }
    }

    fn take(&self) -> bool {
        let less = |tokens: u32| tokens.checked_sub(1);
        self.tokens
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .is_ok()
    }
}
