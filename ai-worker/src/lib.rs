//! The AI worker: takes runs from the queue, works on them with a model and tools, and streams their events to the
//! gateways that follow them.
//!
//! It keeps nothing that is not in the store too: it can be killed at any time, and another worker goes on behind the
//! last committed step. Start with [`run`], then `worker` (which runs are held here), `agent` (what is done with one),
//! `ledger` (what is committed, and heard), `links` (who hears it), `providers` and `tools`.

mod agent;
mod ledger;
mod links;
pub mod providers;
mod tools;
mod worker;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use lingxi_bus::SharedBus;
use lingxi_cache::SharedCache;
use lingxi_im::Im;
use lingxi_runtime::config::Config;
use lingxi_runtime::shutdown::Shutdown;
use lingxi_store::Store;

use crate::providers::Choice;

/// What a worker works with.
#[derive(Clone)]
pub struct Deps {
    /// The truth.
    pub store: Store,
    /// Runs come from here; subscribers ask here.
    pub bus: SharedBus,
    /// Shared, forgettable state.
    pub cache: SharedCache,
    /// What users can do: tools act through it.
    pub im: Im,
}

/// Works with these providers until `shutdown` is triggered, then drains: runs that end within a moment do, the others are
/// given back, so that another worker takes them at once. Contacts no provider before the first run.
pub async fn run(config: &Config, deps: Deps, choice: Choice, shutdown: Shutdown) {
    let worker = worker::Worker::new(config, deps, choice);
    worker::serve(Arc::new(worker), shutdown.token()).await;
}
