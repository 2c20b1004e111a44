//! The sequencer: over all of a worker's partitions it takes what waits, gives each message its place in its
//! conversation, commits in one transaction (`batch`), and hands the result to the pushing, which overlaps the next batch.
//!
//! Start with `worker`, then `commit`: what is done when the database takes a batch, and when it does not (`lingxi_runtime::outage`).

mod assignments;
mod batch;
mod command;
mod commit;
mod first;
mod handle;
mod members;
#[cfg(test)]
mod members_tests;
mod progress;
mod refuse;
mod worker;

pub(crate) use handle::Sequencer;
