//! `POST /api/v1/group/dismiss`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Json};
use lingxi_im::Im;

use crate::rest::shapes::{Done, WhichGroup};

/// Ends a group; for its owner. Its members keep what was said until then.
#[utoipa::path(
    post, path = "/api/v1/group/dismiss", tag = "group", request_body = WhichGroup, security(("bearer" = [])),
    responses(
        (status = 200, body = Done), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not_member, forbidden"),
        (status = 404, body = ErrorBody, description = "group_not_found")
    )
)]
pub(crate) async fn dismiss(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<WhichGroup>,
) -> ApiResult<Done> {
    im.groups().dismiss(&who.actor(), body.group_id.0).await?;
    Ok(Done::json("group dismissed"))
}
