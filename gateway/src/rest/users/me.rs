//! `GET /api/v1/user/me`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody};
use lingxi_im::Im;

use crate::rest::shapes::Me;

/// One's own account.
#[utoipa::path(
    get, path = "/api/v1/user/me", tag = "user", security(("bearer" = [])),
    responses((status = 200, body = Me), (status = 401, body = ErrorBody))
)]
pub(crate) async fn me(State(im): State<Im>, Auth(who): Auth) -> ApiResult<Me> {
    Ok(axum::Json(im.accounts().me(&who).await?.into()))
}
