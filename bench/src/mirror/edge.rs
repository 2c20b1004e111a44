//! The mirror's edge: the REST calls that a load makes, which let everybody in, and the WebSocket. A token is a username.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{
        Query, State as Shared, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::hub::Hub;

/// Frames that a socket may be behind.
const QUEUE: usize = 4096;

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Deserialize)]
struct Token {
    token: String,
}

#[derive(Deserialize)]
struct Which {
    group_id: usize,
}

/// Everything that a mirror answers.
pub(super) fn router(hub: Arc<Hub>) -> Router {
    Router::new()
        .route(
            "/api/v1/user/register",
            post(async || Json(json!({"message": "register success"}))),
        )
        .route(
            "/api/v1/user/login",
            post(async |Json(user): Json<User>| Json(json!({"token": user.username}))),
        )
        .route("/api/v1/user/me", get(async || Json(json!({}))))
        .route("/api/v1/group/create", post(create))
        .route("/api/v1/group/join", post(join))
        .route("/api/v1/ws", get(upgrade))
        .with_state(hub)
}

/// The username in an `Authorization` header.
fn caller(headers: &HeaderMap) -> Result<String, StatusCode> {
    let value = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| value.strip_prefix("Bearer "));
    token.map(str::to_owned).ok_or(StatusCode::UNAUTHORIZED)
}

async fn create(
    Shared(hub): Shared<Arc<Hub>>,
    headers: HeaderMap,
) -> Result<Json<Value>, StatusCode> {
    let id = hub.create_group(caller(&headers)?);
    Ok(Json(json!({"id": id, "name": "bench"})))
}

async fn join(
    Shared(hub): Shared<Arc<Hub>>,
    headers: HeaderMap,
    Json(which): Json<Which>,
) -> Result<Json<Value>, StatusCode> {
    if hub.join_group(which.group_id, caller(&headers)?) {
        Ok(Json(json!({"message": "group joined"})))
    } else {
        Err(StatusCode::NOT_FOUND)
    }
}

async fn upgrade(
    Shared(hub): Shared<Arc<Hub>>,
    Query(Token { token }): Query<Token>,
    upgrade: WebSocketUpgrade,
) -> Response {
    if hub.denies() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    upgrade.on_upgrade(move |socket| session(hub, token, socket))
}

async fn session(hub: Arc<Hub>, username: String, socket: WebSocket) {
    let (mut sink, mut stream) = socket.split();
    let (outlet, mut inlet) = mpsc::channel(QUEUE);
    hub.enter(&username, &outlet);
    loop {
        tokio::select! {
            frame = stream.next() => match frame {
                Some(Ok(Message::Text(text))) => {
                    if !hub.take(&username, &outlet, &text) {
                        let close = CloseFrame { code: 4008, reason: "flaw".into() };
                        drop(sink.send(Message::Close(Some(close))).await);
                        break;
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break,
            },
            Some(first) = inlet.recv() => {
                let mut fed = sink.feed(first).await;
                while let Some(Some(next)) = inlet.recv().now_or_never() {
                    fed = fed.and(sink.feed(next).await);
                }
                if fed.and(sink.flush().await).is_err() {
                    break;
                }
            }
        }
    }
    hub.leave(&username, &outlet);
}
