//! Commits messages, fans them out, answers their senders, and moves cursors.
//!
//! A worker owns partitions of the incoming messages by leases in the store (`leases`), reads them in order and
//! commits them in batches (`sequencer`); every batch begins with the fence, so a worker that lost a
//! lease without noticing commits nothing. What is committed is pushed and then acknowledged (`push`), while the
//! sequencer goes on with the next batch; its texts are made searchable (`indexer`). Any number of workers may run; one alone owns everything.

mod cursors;
mod deps;
mod incoming;
mod indexer;
mod leases;
mod members;
mod push;
#[cfg(feature = "sabotage")]
mod sabotage;
mod sequencer;

use lingxi_runtime::shutdown::Shutdown;

pub use deps::{Deps, Error, Options};

use push::Pusher;
use sequencer::Sequencer;

#[cfg(all(feature = "sabotage", not(debug_assertions)))]
compile_error!("sabotage plants faults for tests; a release build must not have it");

/// Starts a worker and returns when it serves. Its tasks belong to `shutdown`: when that is triggered, the worker finishes
/// what it has read, pushes it, and gives its leases up.
///
/// # Errors
/// When its first leases or subscriptions cannot be had.
pub async fn run(options: Options, deps: Deps, shutdown: &Shutdown) -> Result<(), Error> {
    deps.store.create_leases(options.partitions).await?;
    let cursors = cursors::start(&deps, shutdown);
    let index = indexer::start(deps.store.clone(), shutdown);
    let pusher = Pusher::start(&deps, options.partitions, index, shutdown);
    let sequencer = Sequencer::start(&deps, options.sole, pusher, cursors, shutdown);
    leases::start(options, deps, sequencer, shutdown).await
}
