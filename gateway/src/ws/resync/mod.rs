//! Rounds from the store: what many sessions are missing is read in two queries, a few more where it is much, and handed
//! to each.
//!
//! One path serves a new connection, a hole in the live stream, a lost bus connection and the regular comparison. Start
//! with `queue` (who waits for a round), then `round`.

mod confirm;
mod piece;
mod queue;
mod round;

pub(crate) use confirm::confirm;
#[cfg(test)]
pub(crate) use queue::Asked;
pub(crate) use queue::ResyncQueue;
pub(crate) use round::run;
#[cfg(test)]
pub(crate) use round::serve;
