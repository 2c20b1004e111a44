//! The WebSocket edge: one authenticated connection a user, fed from the bus and the store.
//!
//! Start with [`accept`]; then `socket` (the task of one connection), `session` (what waits for it and where it stands),
//! `registry` (who is here), `sync_queue` and `syncer` (what is read from the store), `inbound` (what a client's frame
//! leads to), `pull` and `receipts` (of them, what a device asks for and what was read).

pub(crate) mod bucket;
mod close;
mod inbound;
mod position;
mod pull;
pub(crate) mod receipts;
pub(crate) mod registry;
pub(crate) mod session;
mod socket;
pub(crate) mod sync_queue;
pub(crate) mod syncer;
#[cfg(test)]
mod tests;
pub(crate) mod watch;

use std::sync::Arc;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use lingxi_domain::limits;
use lingxi_http::ApiError;
use lingxi_im::Identity;
use serde::Deserialize;

use crate::state::AppState;
use close::Close;
use session::Session;

/// Bytes read from a socket at a time: most frames fit, and every connection keeps a buffer of this size.
const READ_BUFFER: usize = 1024;
/// Bytes gathered before they are written without waiting for more frames.
const WRITE_BUFFER: usize = 16 * 1024;

/// What somebody is told whose request for a WebSocket came without its upgrade.
const NO_UPGRADE: &str = "This is the WebSocket's address, and the request came without a complete upgrade \
    (`Connection: Upgrade`, `Upgrade: websocket`, `Sec-WebSocket-Version: 13`, `Sec-WebSocket-Key`); a proxy in between \
    has to pass these on: nginx needs `proxy_http_version 1.1`, `proxy_set_header Upgrade $http_upgrade` and \
    `proxy_set_header Connection \"upgrade\"`.";

/// How a client says who it is.
#[derive(Deserialize)]
pub(crate) struct Credentials {
    token: Option<String>,
}

/// Opens a WebSocket (101). A token that does not work is closed with 4001 after that, so that browsers see the code.
#[utoipa::path(
    get,
    path = "/api/v1/ws",
    tag = "websocket",
    params(("token" = String, Query, description = "The token; or as Authorization: Bearer")),
    responses(
        (status = 101, description = "The frames of the client contract follow"),
        (status = 400, body = lingxi_http::ErrorBody, description = "no upgrade came with the request")
    )
)]
pub(crate) async fn accept(
    State(state): State<AppState>,
    credentials: Result<Query<Credentials>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(_) => return ApiError::invalid(NO_UPGRADE).into_response(),
    };
    let from_query = credentials.ok().and_then(|Query(c)| c.token);
    let from_header = || lingxi_http::bearer(&headers).map(str::to_owned);
    let token = from_query.or_else(from_header).unwrap_or_default();
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(limits::SESSION_QUEUE_BYTES * 4)
        .max_message_size(limits::MAX_REFUSED_FRAME_BYTES)
        .max_frame_size(limits::MAX_REFUSED_FRAME_BYTES)
        .on_upgrade(async move |socket| {
            // A task of its own, of the size that a connection needs for its whole life and no larger: this one also
            // holds what the upgrade needed.
            tokio::spawn(connect(state, token, socket));
        })
}

/// Opens a connection, then leaves it to a task that serves it to its end.
async fn connect(state: AppState, token: String, mut socket: WebSocket) {
    match open(&state, &token).await {
        Ok(session) => {
            tokio::spawn(serve(state, session, socket));
        }
        Err(reason) => {
            let closing = socket::close(&mut socket, reason);
            let _ = tokio::time::timeout(std::time::Duration::from_secs(2), closing).await;
        }
    }
}

async fn serve(state: AppState, session: Arc<Session>, socket: WebSocket) {
    metrics::gauge!("lingxi_connections").increment(1.0);
    let mut socket = socket::Socket::new(state.clone(), session.clone(), socket);
    socket.serve().await;
    metrics::gauge!("lingxi_connections").decrement(1.0);
    if state.sessions.remove(&session) {
        let _ = state
            .cache
            .clear_presence(&state.node, &[session.user_id])
            .await;
    }
}

/// Authenticates and registers: subscribed first, then synced from the store; what is pushed meanwhile waits.
async fn open(state: &AppState, token: &str) -> Result<Arc<Session>, Close> {
    if state.stopping.is_cancelled() || state.sessions.is_draining() {
        return Err(Close::Draining);
    }
    let identity: Identity = state
        .im
        .accounts()
        .authenticate(token)
        .await
        .map_err(|error| {
            if error.code() == lingxi_domain::ErrorCode::Unauthorized {
                Close::Unauthorized
            } else {
                Close::TryAgain
            }
        })?;
    let failed = |error: &dyn std::fmt::Display| {
        tracing::warn!(%error, "a connection could not be opened");
        Close::TryAgain
    };
    let id = state.connection_ids.next().await.map_err(|e| failed(&e))?;
    let Identity {
        user_id,
        username,
        version,
        expires_at,
        ..
    } = identity;
    let session = Arc::new(Session::new(id, user_id, username, version, expires_at));
    if let Err(error) = state.sessions.add(&session).await {
        state.sessions.remove(&session);
        return Err(failed(&error));
    }
    if state.sessions.is_draining() {
        // It came in between: it is sent away like the others.
        state.sessions.send_away(&session);
    }
    let _ = state
        .cache
        .refresh_presence(&state.node, &[user_id], watch::PRESENCE_TTL)
        .await;
    state.sync.ask(&session);
    state.compare_soon(&session);
    Ok(session)
}
