//! What bounds the runs of one user.

/// How much of the assistant one user may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunLimits {
    /// Answers that wait or are under way at a time. Off with `rate_limits`, as the rate is.
    pub at_once: u32,
    /// Streams that are open at one node at a time.
    pub subscribers: usize,
}

impl Default for RunLimits {
    fn default() -> Self {
        Self {
            at_once: 3,
            subscribers: 8,
        }
    }
}
