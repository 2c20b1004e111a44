//! The operators' API under `/api/admin`: for now, logging in.
//!
//! [`router`] is merged into the public routes when everything runs in one process. An operator is an account whose role
//! is `admin`; anybody else is answered as if the password were wrong, so that nothing tells which accounts are operators.

use std::net::SocketAddr;

use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use lingxi_domain::ErrorCode;
use lingxi_domain::role::AccountRole;
use lingxi_im::{Im, Profile};
use serde::{Deserialize, Serialize};

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
