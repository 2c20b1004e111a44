//! `POST /api/v1/group/transfer`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Json};
use lingxi_im::Im;

use crate::rest::shapes::{Group, GroupTarget};

/// Hands the group over to a member; the caller, who was its owner, is an administrator from then on.
#[utoipa::path(
    post, path = "/api/v1/group/transfer", tag = "group", request_body = GroupTarget, security(("bearer" = [])),
    responses(
        (status = 200, body = Group), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not_member, forbidden"),
        (status = 404, body = ErrorBody, description = "group_not_found, user_not_found")
    )
)]
pub(crate) async fn transfer(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<GroupTarget>,
) -> ApiResult<Group> {
    let whom = (body.group_id.0, body.target_username.as_str());
    let group = im.groups().transfer(&who.actor(), whom).await?;
    Ok(axum::Json(group.into()))
}
