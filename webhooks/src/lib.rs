//! Tells bots' webhooks of the messages that the bots receive.
//!
//! Each message is posted at least once, in the order of its conversation as long as attempts succeed. The log of the
//! conversation is the outbox: what a webhook was told stands in a cursor, so nothing is lost with a process, and a message
//! costs its sender nothing. Start with `keeper` (which webhooks this process delivers to), then `bot` (what is due for
//! one), `lane` (one conversation), `attempt` (one request) and `client` (where requests may go).

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "a test's tasks end with its runtime"
    )
)]

mod attempt;
mod bot;
mod client;
mod cursors;
mod deps;
mod hints;
mod keeper;
mod lane;
mod outcome;
mod records;
mod resolver;
mod schedule;
pub mod settings;
mod signature;
mod single;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use lingxi_runtime::shutdown::Shutdown;

pub use client::Client;
pub use deps::{Deps, Error, Options};
pub use outcome::{Failure, Outcome};
pub use resolver::{Lookup, SystemLookup};

use deps::Shared;
use keeper::Keeper;

/// Starts delivering and returns when it is under way. Its tasks belong to `shutdown`: when that is triggered, attempts
/// under way are waited for a moment, and the webhooks are given up, so that another process takes them at once.
///
/// # Errors
/// When the settings cannot be used, or the bus does not take the subscription.
pub async fn run(options: Options, deps: Deps, shutdown: &Shutdown) -> Result<(), Error> {
    let shared = Arc::new(Shared::new(options, deps)?);
    let hints = hints::listen(&shared.bus).await?;
    let (flushing, stop) = (shared.clone(), shutdown.token());
    shutdown.spawn("webhook cursors", async move {
        cursors::flush_on(&flushing.cursors, &stop).await;
    });
    let (recording, stop) = (shared.clone(), shutdown.token());
    shutdown.spawn("webhook records", async move {
        records::keep(&recording, &stop).await;
    });
    let keeper = Keeper::new(shared, hints, shutdown);
    shutdown.spawn("webhooks", keeper.run());
    Ok(())
}
