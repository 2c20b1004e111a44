//! Accounts.

use axum::extract::State;
use lingxi_domain::limits;
use lingxi_im::{Im, Profile, Registration};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Done;
use crate::error::{ApiResult, ErrorBody};
use crate::extract::{Auth, Client, Json, Positive, Query};

/// Who wants an account.
#[derive(Deserialize, ToSchema)]
pub(super) struct Register {
    /// 1–32 letters and digits of any script, `_`, `-`, `.`; unique without regard to case.
    #[schema(example = "alice")]
    username: String,
    /// 6 characters to 72 bytes.
    password: String,
    /// Up to 64 characters; the username when there is none.
    nickname: Option<String>,
}

/// Makes an account.
#[utoipa::path(
    post, path = "/api/v1/user/register", tag = "user", request_body = Register,
    responses(
        (status = 200, body = Done),
        (status = 400, body = ErrorBody), (status = 409, body = ErrorBody, description = "username_taken"),
        (status = 429, body = ErrorBody)
    )
)]
pub(super) async fn register(
    State(im): State<Im>,
    Client(client): Client,
    Json(body): Json<Register>,
) -> ApiResult<Done> {
    let new = Registration {
        username: body.username,
        password: body.password,
        nickname: body.nickname,
    };
    im.accounts().register(&new, client).await?;
    Ok(Done::json("register success"))
}

/// A name and its password.
#[derive(Deserialize, ToSchema)]
pub(super) struct Credentials {
    #[schema(example = "alice")]
    username: String,
    password: String,
}

/// A new session.
#[derive(Serialize, ToSchema)]
pub(super) struct Session {
    /// For `Authorization: Bearer`, and for `?token=` of the WebSocket.
    token: String,
    /// When it ends, milliseconds since the Unix epoch.
    expires_at: i64,
    user: Me,
}

/// One's own account.
#[derive(Serialize, ToSchema)]
pub(super) struct Me {
    id: i64,
    username: String,
    nickname: String,
    avatar: String,
    signature: String,
    /// `user`, `admin` or `bot`.
    role: String,
    created_at: i64,
}

impl From<Profile> for Me {
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

/// Logs in.
#[utoipa::path(
    post, path = "/api/v1/user/login", tag = "user", request_body = Credentials,
    responses(
        (status = 200, body = Session), (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody, description = "invalid_credentials"), (status = 429, body = ErrorBody)
    )
)]
pub(super) async fn login(
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

/// One's own account.
#[utoipa::path(
    get, path = "/api/v1/user/me", tag = "user", security(("bearer" = [])),
    responses((status = 200, body = Me), (status = 401, body = ErrorBody))
)]
pub(super) async fn me(State(im): State<Im>, Auth(who): Auth) -> ApiResult<Me> {
    Ok(axum::Json(im.accounts().me(&who).await?.into()))
}

/// What to search for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Search {
    /// A part of a username or nickname.
    keyword: String,
    /// At most 200; 50 when there is none.
    #[param(value_type = Option<i64>, minimum = 1)]
    limit: Option<Positive>,
    /// The id of the last one of the page before.
    #[param(value_type = Option<i64>, minimum = 1)]
    after: Option<Positive>,
}

impl Search {
    pub(super) fn after(&self) -> Option<i64> {
        self.after.map(|Positive(after)| after)
    }

    pub(super) fn keyword(&self) -> &str {
        &self.keyword
    }

    pub(super) fn limit(&self) -> i64 {
        self.limit
            .map_or(limits::DEFAULT_PAGE, |Positive(limit)| limit)
    }
}

/// An account as others see it.
#[derive(Serialize, ToSchema)]
pub(super) struct User {
    id: i64,
    username: String,
    nickname: String,
    avatar: String,
    signature: String,
}

/// Accounts that were found.
#[derive(Serialize, ToSchema)]
pub(super) struct Users {
    users: Vec<User>,
    /// Whether there are more after the last one.
    has_more: bool,
}

/// Finds accounts by username or nickname; one's own is left out.
#[utoipa::path(
    get, path = "/api/v1/user/search", tag = "user", params(Search), security(("bearer" = [])),
    responses((status = 200, body = Users), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody))
)]
pub(super) async fn search(
    State(im): State<Im>,
    Auth(who): Auth,
    Query(query): Query<Search>,
) -> ApiResult<Users> {
    let found = im
        .accounts()
        .search_page(who.user_id, query.keyword(), query.after(), query.limit())
        .await?;
    let has_more = found.has_more;
    let users = found.rows.into_iter().map(|p| User {
        id: p.id,
        username: p.username,
        nickname: p.nickname,
        avatar: p.avatar,
        signature: p.signature,
    });
    Ok(axum::Json(Users {
        users: users.collect(),
        has_more,
    }))
}

/// Ends every token of the caller and closes the sockets that they opened.
#[utoipa::path(
    post, path = "/api/v1/user/logout", tag = "user", security(("bearer" = [])),
    responses((status = 200, body = Done), (status = 401, body = ErrorBody))
)]
pub(super) async fn logout(State(im): State<Im>, Auth(who): Auth) -> ApiResult<Done> {
    im.accounts().logout(&who).await?;
    Ok(Done::json("logout success"))
}
