//! Passwords: their hashes, who waits for one to be computed, and how guessing is slowed down.

mod attempts;
mod hashes;
mod known;
mod queue;
mod waiting;

pub(crate) use attempts::Attempt;
pub(crate) use hashes::Passwords;
pub(crate) use known::Origin;
pub(crate) use queue::Kind;
