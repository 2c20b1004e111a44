//! Who may write to the log, and the numbers and settings that all processes share.

mod committer;
mod connections;
mod leases;
mod workers;

pub use committer::Committer;
pub use connections::ConnectionIds;
pub use leases::{Lease, LeaseProgress};
