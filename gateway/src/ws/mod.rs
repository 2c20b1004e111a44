//! The WebSocket edge: authenticated connections, fed from the bus and the store.
//!
//! Start with `accept`, then `connect`; then `socket` (the task of one connection), `session` (what waits for it and where
//! it stands), `registry` (who is here), `resync` (what is read from the store), `inbound` and `commands` (what a client's
//! frame leads to), `pull` and `receipts` (of them, what a device asks for and what was read), `watching` (who is there), `allowance` and `queues`
//! (how much of each there may be), `room` (what is closed when there is too much).

mod accept;
pub(crate) mod allowance;
mod close;
mod commands;
pub(crate) mod comparisons;
mod connect;
mod inbound;
#[cfg(test)]
mod protocol;
mod pull;
pub(crate) mod queues;
pub(crate) mod receipts;
pub(crate) mod registry;
pub(crate) mod resync;
pub(crate) mod room;
pub(crate) mod session;
mod slot;
mod socket;
#[cfg(test)]
mod tests;
pub(crate) mod watch;
pub(crate) mod watching;
mod watermark;

pub(crate) use accept::*;
