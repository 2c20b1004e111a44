//! `POST /api/admin/login`.

use axum::extract::State;
use lingxi_http::{ApiResult, Client, ErrorBody, Json};
use lingxi_im::{Im, Profile};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An operator's name and password.
#[derive(Deserialize, ToSchema)]
#[schema(as = AdminLoginRequest)]
pub(crate) struct Credentials {
    #[schema(example = "root")]
    username: String,
    password: String,
}

/// An operator's session.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminSession)]
pub(crate) struct Session {
    /// For `Authorization: Bearer`.
    token: String,
    /// When it ends, milliseconds since the Unix epoch.
    expires_at: i64,
    user: Operator,
}

/// An operator's account.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminUser)]
pub(crate) struct Operator {
    id: i64,
    username: String,
    nickname: String,
    avatar: String,
    signature: String,
    role: String,
    created_at: i64,
}

impl From<Profile> for Operator {
    fn from(p: Profile) -> Self {
        Self {
            id: p.id,
            username: p.username,
            nickname: p.nickname,
            avatar: p.avatar,
            signature: p.signature,
            role: p.role,
            created_at: p.created_at,
        }
    }
}

/// Logs an operator in: an account whose role is `viewer`, `moderator` or `admin`. The token opens `/api/admin` and nothing
/// else. Anybody else is answered as if the password were wrong, so that
/// nothing tells which accounts are operators.
#[utoipa::path(
    post, path = "/api/admin/login", tag = "admin", request_body = Credentials,
    responses(
        (status = 200, body = Session), (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody, description = "invalid_credentials"),
        (status = 413, body = ErrorBody), (status = 429, body = ErrorBody)
    )
)]
pub(crate) async fn login(
    State(im): State<Im>,
    Client(client): Client,
    Json(body): Json<Credentials>,
) -> ApiResult<Session> {
    let accounts = im.accounts();
    let login = accounts
        .login_operator(&body.username, &body.password, client)
        .await?;
    tracing::info!(operator = %login.user.username, "an operator logged in");
    Ok(axum::Json(Session {
        token: login.token,
        expires_at: login.expires_at,
        user: login.user.into(),
    }))
}
