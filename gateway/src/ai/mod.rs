//! Runs of the assistant, as streams of events: asking, and following a run from anywhere.
//!
//! A handler commits the run and puts it on the queue before it answers (`ask`). Whoever follows it (`follow`) takes its
//! events from the worker, over the gRPC service (`service`) and the table of followers (`sinks`), or from the store once
//! the run has ended. Leaving does not stop a run.

mod ask;
mod events;
mod follow;
mod service;
mod sinks;
#[cfg(test)]
mod tests;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use service::serve;
pub(crate) use sinks::Sinks;

use crate::state::AppState;

/// The routes of this module.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(ask::chat))
        .routes(routes!(ask::agent))
        .routes(routes!(events::events))
}
