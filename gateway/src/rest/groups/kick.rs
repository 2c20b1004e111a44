//! `POST /api/v1/group/kick`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Json};
use lingxi_im::Im;

use crate::rest::shapes::{Done, GroupTarget};

/// Removes somebody of a lower role; for owners and administrators.
#[utoipa::path(
    post, path = "/api/v1/group/kick", tag = "group", request_body = GroupTarget, security(("bearer" = [])),
    responses(
        (status = 200, body = Done), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not_member, forbidden"),
        (status = 404, body = ErrorBody, description = "group_not_found, user_not_found")
    )
)]
pub(crate) async fn kick(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<GroupTarget>,
) -> ApiResult<Done> {
    im.groups()
        .kick(&who.actor(), body.group_id.0, &body.target_username)
        .await?;
    Ok(Done::json("member kicked"))
}
