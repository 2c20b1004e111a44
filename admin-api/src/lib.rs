//! The operators' API under `/api/admin`: for now, logging in.
//!
//! [`start`] serves it as a process of its own; [`router`] is merged into the public routes when everything runs in one.
//! An operator is an account whose role
//! is `admin`; anybody else is answered as if the password were wrong, so that nothing tells which accounts are operators.

use std::net::SocketAddr;

use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::serve::ListenerExt as _;
use axum::{Json, Router};
use ipnet::IpNet;
use lingxi_domain::ErrorCode;
use lingxi_domain::role::AccountRole;
use lingxi_im::{Im, Profile};
use lingxi_runtime::listener::Listener;
use lingxi_runtime::shutdown::Shutdown;
use lingxi_runtime::{client_address, request_log};
use serde::{Deserialize, Serialize};

/// Serves the operators' API on a listener of its own until `shutdown` is triggered.
pub fn start(im: Im, listener: Listener, trusted_proxies: Vec<IpNet>, shutdown: &Shutdown) {
    let app = router(im)
        .fallback(async || failure(ErrorCode::NotFound, ErrorCode::NotFound.message()))
        .layer(from_fn(request_log::log));
    let app = client_address::behind(app, trusted_proxies);
    let served = axum::serve(
        listener.tap_io(|_| {}),
        app.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(shutdown.cancelled());
    shutdown.spawn("admin API", async move {
        if let Err(error) = served.await {
            tracing::error!(%error, "the operators' port failed");
        }
    });
}

/// The routes of the operators' API.
pub fn router(im: Im) -> Router {
    Router::new()
        .route("/api/admin/login", post(login))
        .with_state(im)
}

#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: String,
}

#[derive(Serialize)]
struct Session {
    token: String,
    expires_at: i64,
    user: Profile,
}

async fn login(
    State(im): State<Im>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    body: Result<Json<Credentials>, JsonRejection>,
) -> Response {
    let Json(credentials) = match body {
        Ok(body) => body,
        Err(rejection) => return failure(ErrorCode::InvalidRequest, &rejection.body_text()),
    };
    match im
        .accounts()
        .login(
            &credentials.username,
            &credentials.password,
            Some(client.ip()),
        )
        .await
    {
        Ok(login) if login.user.role == AccountRole::Admin.as_str() => {
            tracing::info!(operator = %login.user.username, "an operator logged in");
            let session = Session {
                token: login.token,
                expires_at: login.expires_at,
                user: login.user,
            };
            Json(session).into_response()
        }
        // The token of somebody who is no operator is dropped unseen.
        Ok(_) => failure(
            ErrorCode::InvalidCredentials,
            ErrorCode::InvalidCredentials.message(),
        ),
        Err(error) => failure(error.code(), error.message()),
    }
}

fn failure(code: ErrorCode, message: &str) -> Response {
    let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (
        status,
        Json(serde_json::json!({"error": code.as_str(), "message": message})),
    )
        .into_response()
}
