//! The edge: WebSocket, REST, server-sent events and internal gRPC in; per-user subjects out.
//!
//! A gateway keeps nothing that another could not: it never writes a message itself, and any client may use any gateway.
//! Start with [`start`], then `ws` (live connections), `rest` (the flat table of routes) and `ai` (streams of runs).

mod ai;
mod error;
mod extract;
mod rest;
#[cfg(feature = "sabotage")]
mod sabotage;
pub mod settings;
mod state;
mod ws;

use std::future::IntoFuture as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::serve::ListenerExt as _;
use lingxi_bus::SharedBus;
use lingxi_cache::SharedCache;
use lingxi_im::Im;
use lingxi_runtime::client_address;
use lingxi_runtime::listener::Listener;
use lingxi_runtime::shutdown::Shutdown;
use lingxi_store::{ConnectionIds, Store};
use tokio_util::sync::CancellationToken;

pub use state::Options;
pub use ws::bucket::Limit as MessageLimit;
pub use ws::registry::SessionPolicy;

#[cfg(all(feature = "sabotage", not(debug_assertions)))]
compile_error!("sabotage plants faults for tests; a release build must not have it");

/// The largest JSON body, in bytes.
const MAX_BODY: usize = 1024 * 1024;
/// How long open connections may take to end once the gateway drains.
const DRAIN: Duration = Duration::from_secs(8);

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
}

/// The sockets that a gateway serves, bound by the caller.
pub struct Listeners {
    /// For clients.
    pub public: Listener,
    /// For AI workers.
    pub grpc: Listener,
}

/// A gateway that runs.
pub struct Gateway {
    state: state::AppState,
    served: Vec<tokio::task::JoinHandle<()>>,
}

/// Starts a gateway on the caller's listeners. `extra` is merged into the public routes: the operators' API in one process.
///
/// # Errors
/// When a listener has no local address.
pub fn start(
    options: Options,
    deps: Deps,
    listeners: Listeners,
    extra: Router,
    shutdown: &Shutdown,
) -> std::io::Result<Gateway> {
    let (sync, asked) = ws::sync_queue::SyncQueue::new();
    let sessions =
        ws::registry::Registry::new(deps.bus.clone(), sync.clone(), options.session_policy);
    let state = Arc::new(state::State {
        node: uuid::Uuid::new_v4().simple().to_string(),
        options,
        im: deps.im,
        connection_ids: ConnectionIds::new(deps.store.clone()),
        store: deps.store,
        bus: deps.bus,
        cache: deps.cache,
        sessions,
        sync,
        receipts: ws::receipts::Receipts::default(),
        comparisons: ws::watch::Comparisons::default(),
        sinks: Arc::default(),
        stopping: CancellationToken::new(),
    });
    // Its queue ends with the state, which this very task holds: it is stopped, not drained.
    let stop = state.stopping.clone();
    let syncing = ws::syncer::run(state.clone(), asked);
    shutdown.spawn("gateway sync", async move {
        tokio::select! {
            () = syncing => {}
            () = stop.cancelled() => {}
        }
    });
    let stop = state.stopping.clone();
    shutdown.spawn("gateway receipts", ws::receipts::run(state.clone(), stop));
    shutdown.spawn("gateway watch", ws::watch::run(state.clone()));

    let app = rest::app(state.clone(), extra).layer(DefaultBodyLimit::max(MAX_BODY));
    let app = client_address::behind(app, state.options.trusted_proxies.clone());
    let public = listeners.public.local_addr()?;
    let grpc = listeners.grpc.local_addr()?;
    let stop = state.stopping.clone().cancelled_owned();
    let listener = listeners.public.tap_io(|_| {});
    let http = axum::serve(
        listener,
        app.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(stop);
    let http = tokio::spawn(async move {
        if let Err(error) = http.into_future().await {
            tracing::error!(%error, "the public port failed");
        }
    });
    let stop = state.stopping.clone().cancelled_owned();
    let sinks = ai::serve(state.clone(), listeners.grpc, stop);
    let sinks = tokio::spawn(async move {
        if let Err(error) = sinks.await {
            tracing::error!(%error, "the gRPC port failed");
        }
    });
    tracing::info!(%public, %grpc, "gateway listens");
    Ok(Gateway {
        state,
        served: vec![http, sinks],
    })
}

impl Gateway {
    /// Tells every client when to come back and closes its socket, finishes the requests that are under way, and stops
    /// listening. Requests that take longer than a few seconds are cut: answers of runs are resumed elsewhere.
    pub async fn drain(self) {
        let lingered = tokio::time::sleep(self.state.options.drain_linger);
        self.state.sessions.drain(self.state.options.drain_spread);
        let emptied = async {
            while !self.state.sessions.all().is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(4), emptied)
            .await
            .is_err()
        {
            tracing::warn!("some connections did not end in time");
        }
        lingered.await;
        self.state.stopping.cancel();
        for served in self.served {
            let abort = served.abort_handle();
            if tokio::time::timeout(DRAIN / 4, served).await.is_err() {
                abort.abort();
            }
        }
    }
}
