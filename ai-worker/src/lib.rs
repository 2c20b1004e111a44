//! The AI worker: takes runs from the queue, works on them with a model and tools, and streams their events to the
//! gateways that follow them.
//!
//! It keeps nothing that is not in the store too: it can be killed at any time, and another worker goes on behind the
//! last committed step. Start with [`run`], then `worker` (which runs are held here), `agent` (what is done with one),
//! `ledger` (what is committed, and heard), `links` (who hears it), `providers` and `tools`.

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "a test's tasks end with its runtime"
    )
)]

mod agent;
mod deps;
mod ledger;
mod links;
pub mod providers;
pub mod settings;
mod tools;
mod worker;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use lingxi_runtime::shutdown::Shutdown;

pub use deps::{Deps, Error, Options};

use crate::providers::Choice;

/// Starts a worker. Its tasks belong to `shutdown`: when that is triggered, runs that end within a moment do, the others are
/// given back, so that another worker takes them at once. Contacts no provider before the first run.
///
/// # Errors
/// When a provider's settings cannot be used.
pub async fn run(options: Options, deps: Deps, shutdown: &Shutdown) -> Result<(), Error> {
    let choice = Choice::new(&options.ai)?;
    let worker = Arc::new(worker::Worker::new(options, deps, choice));
    shutdown.spawn("AI worker", worker::serve(worker, shutdown.token()));
    Ok(())
}
