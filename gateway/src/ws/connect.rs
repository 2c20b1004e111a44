//! The life of a connection: opened, served, and taken off the lists.

use std::sync::Arc;

use axum::extract::ws::WebSocket;
use lingxi_domain::ErrorCode;

use super::close::{CLOSING, Close, close};
use super::session::Session;
use super::{socket, watch};
use crate::state::AppState;

/// Opens a connection, then leaves it to a task that serves it to its end.
pub(super) async fn connect(state: AppState, token: String, mut socket: WebSocket) {
    match open(&state, &token).await {
        Ok(session) => {
            // Boxed, and apart from this one: of the size that a connection needs for its whole life, and no larger.
            let tasks = state.connections.clone();
            tasks.spawn(Box::pin(serve(state, session, socket)));
        }
        Err(reason) => {
            let closing = close(&mut socket, reason);
            let _ = tokio::time::timeout(CLOSING, closing).await;
        }
    }
}

/// No `async fn`: that would keep room for what it was given besides what it made of it.
fn serve(
    state: AppState,
    session: Arc<Session>,
    socket: WebSocket,
) -> impl Future<Output = ()> + Send {
    let mut socket = socket::Socket::new(state.clone(), session.clone(), socket);
    async move {
        metrics::gauge!("lingxi_connections").increment(1.0);
        socket.serve().await;
        metrics::gauge!("lingxi_connections").decrement(1.0);
        state.watching.forget(&session);
        if state.sessions.remove(&session) {
            let _ = state
                .cache
                .clear_presence(&state.node, &[session.user_id])
                .await;
        }
    }
}

/// Authenticates and registers: subscribed first, then synced from the store; what is pushed meanwhile waits.
async fn open(state: &AppState, token: &str) -> Result<Arc<Session>, Close> {
    if state.stopping.is_cancelled() || state.sessions.is_draining() {
        return Err(Close::Draining);
    }
    let identity = state.im.accounts().authenticate(token).await;
    let identity = identity.map_err(|error| match error.code() {
        ErrorCode::Unauthorized => Close::Unauthorized,
        _ => Close::TryAgain,
    })?;
    let failed = |error: &dyn std::fmt::Display| {
        tracing::warn!(%error, "a connection could not be opened");
        Close::TryAgain
    };
    let id = state.connection_ids.next().await.map_err(|e| failed(&e))?;
    let session = Arc::new(Session::new(id, identity, &state.queues));
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
        .refresh_presence(&state.node, &[session.user_id], watch::PRESENCE_TTL)
        .await;
    state.resync.ask(&session);
    state.compare_soon(&session);
    Ok(session)
}
