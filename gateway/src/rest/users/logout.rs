//! `POST /api/v1/user/logout`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody};
use lingxi_im::Im;

use crate::rest::shapes::Done;

/// Ends every token of the caller and closes the sockets that they opened.
#[utoipa::path(
    post, path = "/api/v1/user/logout", tag = "user", security(("bearer" = [])),
    responses((status = 200, body = Done), (status = 401, body = ErrorBody))
)]
pub(crate) async fn logout(State(im): State<Im>, Auth(who): Auth) -> ApiResult<Done> {
    im.accounts().logout(&who).await?;
    Ok(Done::json("logout success"))
}
