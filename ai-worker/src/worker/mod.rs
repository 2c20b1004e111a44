//! Which runs this worker holds: it takes them from the queue, keeps their leases, and gives them back when it stops.

mod active;
mod attach;
mod execute;
mod leases;
mod prune;
mod serve;
mod shares;
mod state;
mod sweep;
mod take;

pub(crate) use serve::serve;
pub(crate) use state::Worker;
