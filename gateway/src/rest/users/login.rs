//! `POST /api/v1/user/login`.

use axum::extract::State;
use lingxi_http::{ApiResult, Client, ErrorBody, Json};
use lingxi_im::Im;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rest::shapes::Me;

/// A name and its password.
#[derive(Deserialize, ToSchema)]
#[schema(as = UserLoginRequest)]
pub(crate) struct Credentials {
    #[schema(example = "alice")]
    username: String,
    password: String,
}

/// A new session.
#[derive(Serialize, ToSchema)]
#[schema(as = UserSession)]
pub(crate) struct Session {
    /// For `Authorization: Bearer`, and for `?token=` of the WebSocket.
    token: String,
    /// When it ends, milliseconds since the Unix epoch.
    expires_at: i64,
    user: Me,
}

/// Logs in.
#[utoipa::path(
    post, path = "/api/v1/user/login", tag = "user", request_body = Credentials,
    responses(
        (status = 200, body = Session), (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody, description = "invalid_credentials"), (status = 429, body = ErrorBody)
    )
)]
pub(crate) async fn login(
    State(im): State<Im>,
    Client(client): Client,
    Json(body): Json<Credentials>,
) -> ApiResult<Session> {
    let login = im
        .accounts()
        .login(&body.username, &body.password, client)
        .await?;
    Ok(axum::Json(Session {
        token: login.token,
        expires_at: login.expires_at,
        user: login.user.into(),
    }))
}
