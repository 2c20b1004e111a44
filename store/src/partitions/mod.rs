//! Who may write to the log, and the numbers and settings that all processes share.

mod committer;
mod connections;
mod fence;
mod leases;
mod workers;

pub use committer::Committer;
pub use connections::ConnectionIds;
pub use fence::LeaseProgress;
pub use leases::Lease;
