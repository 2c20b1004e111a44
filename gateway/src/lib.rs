//! The edge: WebSocket, REST, server-sent events and internal gRPC in; per-user subjects out.
//!
//! A gateway keeps nothing that another could not: it never writes a message itself, and any client may use any gateway.
//! Start with [`run`], then `ws` (live connections), `rest` (the list of endpoints) and `ai` (streams of runs).

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "a test's tasks end with its runtime"
    )
)]

mod ai;
mod drain;
mod error;
mod extract;
mod rest;
#[cfg(feature = "sabotage")]
mod sabotage;
pub mod settings;
mod state;
mod sweep;
mod ws;

use std::sync::Arc;

use axum::routing::get;
use lingxi_bus::SharedBus;
use lingxi_cache::SharedCache;
use lingxi_http::Routes;
use lingxi_im::Im;
use lingxi_runtime::budget::Budget;
use lingxi_runtime::listener::Listener;
use lingxi_runtime::shutdown::Shutdown;
use lingxi_store::{ConnectionIds, Store};
use tokio_util::sync::CancellationToken;
use utoipa_axum::routes;

pub use state::Options;
pub use ws::registry::SessionPolicy;

use state::AppState;

#[cfg(all(feature = "sabotage", not(debug_assertions)))]
compile_error!("sabotage plants faults for tests; a release build must not have it");

/// What a gateway works with.
#[derive(Clone)]
pub struct Deps {
    /// What users can do.
    pub im: Im,
    /// What clients are missing is read from here.
    pub store: Store,
    /// Messages go out and pushes come in here.
    pub bus: SharedBus,
    /// Presence.
    pub cache: SharedCache,
    /// Bytes that this process may hold for its clients.
    pub budget: Budget,
    /// Routes of other roles in this process, served on the public port too: the operators' API.
    pub beside: Routes,
}

/// The sockets that a gateway serves, bound by the caller.
pub struct Listeners {
    /// For clients.
    pub public: Listener,
    /// For AI workers.
    pub grpc: Listener,
}

/// Why a gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A listener has no local address.
    #[error("a listener of the gateway failed: {0}")]
    Listener(#[from] std::io::Error),
}

/// Starts a gateway on the caller's listeners, and returns when it serves. When `shutdown` is triggered it drains, as a
/// task of `shutdown`: it tells every client when to come back and closes its socket, finishes the requests that are under
/// way, and stops listening. Requests that take longer than a few seconds are cut: answers of runs are resumed elsewhere.
///
/// # Errors
/// [`Error`], when a listener has no local address.
pub async fn run(
    options: Options,
    deps: Deps,
    listeners: Listeners,
    shutdown: &Shutdown,
) -> Result<(), Error> {
    start(options, deps, listeners, shutdown).map(|_| ())
}

fn start(
    options: Options,
    deps: Deps,
    listeners: Listeners,
    shutdown: &Shutdown,
) -> Result<AppState, Error> {
    let public = listeners.public.local_addr()?;
    let grpc = listeners.grpc.local_addr()?;
    let (resync, asked) = ws::resync::ResyncQueue::new();
    let connections = shutdown.tasks("connection");
    let sessions = ws::registry::Registry::new(
        deps.bus.clone(),
        resync.clone(),
        options.sockets(),
        connections.clone(),
    );
    let (leaving, left) = tokio::sync::mpsc::channel(ai::leaving::WAITING);
    let state = Arc::new(state::State {
        node: uuid::Uuid::new_v4().simple().to_string(),
        options,
        im: deps.im,
        connection_ids: ConnectionIds::new(deps.store.clone()),
        store: deps.store,
        bus: deps.bus,
        cache: deps.cache,
        sessions,
        resync,
        queues: ws::queues::Queues::new(deps.budget.clone()),
        connections,
        receipts: Arc::default(),
        comparisons: ws::comparisons::Comparisons::default(),
        watching: Arc::default(),
        subscribers: ai::Subscribers::new(leaving),
        stopping: CancellationToken::new(),
    });
    // Their queues end with the state, which these very tasks hold: they are stopped, not drained.
    for asked in asked {
        let stop = state.stopping.clone();
        let resyncing = ws::resync::run(state.clone(), asked);
        shutdown.spawn("gateway resync", async move {
            tokio::select! {
                () = resyncing => {}
                () = stop.cancelled() => {}
            }
        });
    }
    let making_room = ws::room::run(
        state.queues.clone(),
        state.sessions.clone(),
        state.stopping.clone(),
    );
    shutdown.spawn("gateway queues", making_room);
    let stop = state.stopping.clone();
    let receipts = ws::receipts::run(state.receipts.clone(), state.im.clone(), stop);
    shutdown.spawn("gateway receipts", receipts);
    let (unsent, stop) = (state.options.unsent_files, state.stopping.clone());
    let sweeping = sweep::run(state.im.clone(), unsent, stop);
    shutdown.spawn("gateway files", sweeping);
    shutdown.spawn("gateway watch", ws::watch::run(state.clone()));
    let stop = state.stopping.clone();
    let watching = ws::watching::run(state.watching.clone(), state.im.clone(), stop);
    shutdown.spawn("gateway presence", watching);
    shutdown.spawn("gateway registration", ai::registration::run(state.clone()));
    shutdown.spawn("gateway streams", ai::tokens::run(state.clone()));
    shutdown.spawn("gateway leaving", ai::leaving::run(state.clone(), left));

    let http = &state.options.http;
    let routes = routes(&state).merge(deps.beside);
    let app = lingxi_http::app(routes, http, state.im.clone(), deps.budget.clone(), public);
    let serving = lingxi_http::serve(
        listeners.public,
        app,
        http.clone(),
        deps.budget,
        state.stopping.clone(),
        shutdown.tasks("connection"),
    );
    shutdown.spawn("public port", serving);
    let stop = state.stopping.clone();
    shutdown.spawn("gRPC port", ai::serve(state.clone(), listeners.grpc, stop));
    let draining = drain::run(state.clone(), shutdown.token());
    shutdown.spawn("gateway drain", draining);
    tracing::info!(%public, %grpc, "gateway listens");
    Ok(state)
}

/// Every route of a gateway.
fn routes(state: &AppState) -> Routes {
    let rest = lingxi_http::routes(rest::endpoints()).with_state(state.im.clone());
    let live = Routes::new()
        .routes(routes!(ws::accept))
        .merge(ai::routes())
        .route("/", get(rest::home))
        .with_state(state.clone());
    rest.merge(live)
}
