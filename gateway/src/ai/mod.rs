//! Runs of the assistant, as streams of events: asking, and following a run from anywhere.
//!
//! A handler commits the run and puts it on the queue before it answers (`ask`). Whoever follows it is a *subscriber*: it
//! takes the run's events from the worker, over the gRPC service (`service`), the table of subscribers and the queue of
//! each, or from the store once the run has ended. On the wire a subscriber is a `Watcher` with a `sink_id`: names of
//! protobuf fields stay. Leaving does not stop a run.

mod ask;
mod events;
pub(crate) mod leaving;
mod queue;
pub(crate) mod registration;
mod service;
mod subscriber;
mod subscribers;
#[cfg(test)]
mod tests;
pub(crate) mod tokens;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use service::serve;
pub(crate) use subscribers::Subscribers;

use crate::state::AppState;

/// The routes of this module.
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(ask::chat))
        .routes(routes!(ask::agent))
        .routes(routes!(events::events))
}
