//! `GET /api/v1/user/search`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Query};
use lingxi_im::Im;
use serde::Serialize;
use utoipa::ToSchema;

use crate::rest::shapes::{Search, User};

/// Accounts that were found.
#[derive(Serialize, ToSchema)]
#[schema(as = Users)]
pub(crate) struct Users {
    users: Vec<User>,
    /// Whether there are more after the last one.
    has_more: bool,
}

/// Finds accounts by username or nickname; one's own is left out.
#[utoipa::path(
    get, path = "/api/v1/user/search", tag = "user", params(Search), security(("bearer" = [])),
    responses((status = 200, body = Users), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody))
)]
pub(crate) async fn search(
    State(im): State<Im>,
    Auth(who): Auth,
    Query(query): Query<Search>,
) -> ApiResult<Users> {
    let found = im
        .accounts()
        .search_page(who.user_id, query.keyword(), query.after(), query.limit())
        .await?;
    Ok(axum::Json(Users {
        users: found.items.into_iter().map(User::from).collect(),
        has_more: found.has_more,
    }))
}
