//! `GET /api/v1/group/search`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Query};
use lingxi_im::Im;

use crate::rest::shapes::{Groups, Search};

/// Finds groups by a part of their name, or by their id.
#[utoipa::path(
    get, path = "/api/v1/group/search", tag = "group", params(Search), security(("bearer" = [])),
    responses((status = 200, body = Groups), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody))
)]
pub(crate) async fn search(
    State(im): State<Im>,
    Auth(who): Auth,
    Query(query): Query<Search>,
) -> ApiResult<Groups> {
    let found = im
        .groups()
        .search_page(who.user_id, query.keyword(), query.after(), query.limit())
        .await?;
    Ok(axum::Json(Groups::page(found.items, found.has_more)))
}
