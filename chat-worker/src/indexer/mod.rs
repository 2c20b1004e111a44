//! Makes committed messages searchable: their texts are gathered while they are pushed, and go into the index once a second.
//!
//! Nothing depends on it: a search looks through what is behind the index, and what was missed here (a crash, an outage, an
//! edit, messages from before there was an index) is found by walking over all conversations.

mod read;
#[cfg(test)]
mod tests;
mod waiting;
mod walk;
mod work;

use std::sync::Arc;

use lingxi_runtime::shutdown::Shutdown;
use lingxi_store::Store;

pub(crate) use waiting::Waiting;

/// Starts the task of one worker, which ends when `shutdown` is triggered; the texts are given to what is returned.
pub(crate) fn start(store: Store, shutdown: &Shutdown) -> Arc<Waiting> {
    let waiting = Arc::new(Waiting::default());
    let indexer = work::Indexer::new(store, waiting.clone());
    shutdown.spawn("search index", indexer.work(shutdown.token()));
    waiting
}
