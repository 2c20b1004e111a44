//! `GET /api/v1/group/mygroups`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Query};
use lingxi_im::Im;

use crate::rest::shapes::{ById, Groups};

/// The groups that the caller is in, lowest id first.
#[utoipa::path(
    get, path = "/api/v1/group/mygroups", tag = "group", params(ById), security(("bearer" = [])),
    responses((status = 200, body = Groups), (status = 401, body = ErrorBody))
)]
pub(crate) async fn mygroups(
    State(im): State<Im>,
    Auth(who): Auth,
    Query(page): Query<ById>,
) -> ApiResult<Groups> {
    let found = im.groups().mine_page(who.user_id, &page.by_id()).await?;
    Ok(axum::Json(Groups::page(found.items, found.has_more)))
}
