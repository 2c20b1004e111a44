//! The upgrade of a request to a WebSocket.

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use lingxi_domain::{ErrorCode, limits};
use serde::Deserialize;

use super::connect::connect;
use crate::error::ApiError;
use crate::state::AppState;

/// Bytes read from a socket at a time: most frames fit, and every connection keeps a buffer of this size.
const READ_BUFFER: usize = 1024;
/// Bytes gathered before they are written without waiting for more frames.
const WRITE_BUFFER: usize = 16 * 1024;

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
    responses((status = 101, description = "The frames of the client contract follow"))
)]
pub(crate) async fn accept(
    State(state): State<AppState>,
    credentials: Result<Query<Credentials>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(_) => {
            let message = "This path is a WebSocket: open it with one. If you did, a proxy on the way took the \
                Upgrade header off; let it pass Upgrade and Connection.";
            return ApiError::new(ErrorCode::InvalidRequest, message).into_response();
        }
    };
    let from_query = credentials.ok().and_then(|Query(c)| c.token);
    let from_header = || {
        let value = headers
            .get(axum::http::header::AUTHORIZATION)?
            .to_str()
            .ok()?;
        Some(value.strip_prefix("Bearer ")?.to_owned())
    };
    let token = from_query.or_else(from_header).unwrap_or_default();
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(limits::SESSION_QUEUE_BYTES * 4)
        .max_message_size(limits::MAX_REFUSED_FRAME_BYTES)
        .max_frame_size(limits::MAX_REFUSED_FRAME_BYTES)
        .on_upgrade(async move |socket| {
            // A task of its own: this one also holds what the upgrade needed.
            let tasks = state.connections.clone();
            tasks.spawn(Box::pin(connect(state, token, socket)));
        })
}
