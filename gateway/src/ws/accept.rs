//! The upgrade of a request to a WebSocket.

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use lingxi_domain::limits;
use lingxi_http::ApiError;
use serde::Deserialize;

use super::connect::connect;
use crate::state::AppState;

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
            // A task of its own: this one also holds what the upgrade needed.
            let tasks = state.connections.clone();
            tasks.spawn(Box::pin(connect(state, token, socket)));
        })
}
