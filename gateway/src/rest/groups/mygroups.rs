//! `GET /api/v1/group/mygroups`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody};
use lingxi_im::Im;

use crate::rest::shapes::Groups;

/// The groups that the caller is in.
#[utoipa::path(
    get, path = "/api/v1/group/mygroups", tag = "group", security(("bearer" = [])),
    responses((status = 200, body = Groups), (status = 401, body = ErrorBody))
)]
pub(crate) async fn mygroups(State(im): State<Im>, Auth(who): Auth) -> ApiResult<Groups> {
    let found = im.groups().mine(who.user_id).await?;
    Ok(axum::Json(Groups::page(found, false)))
}
