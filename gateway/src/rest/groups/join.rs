//! `POST /api/v1/group/join`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Json};
use lingxi_im::Im;
use serde::Serialize;
use utoipa::ToSchema;

use crate::rest::shapes::WhichGroup;

/// The caller is in.
#[derive(Serialize, ToSchema)]
#[schema(as = GroupJoined)]
pub(crate) struct Joined {
    #[schema(example = "group joined")]
    message: &'static str,
    /// The conversation's key.
    #[schema(example = "g:42")]
    conversation: String,
}

/// Joins a group.
#[utoipa::path(
    post, path = "/api/v1/group/join", tag = "group", request_body = WhichGroup, security(("bearer" = [])),
    responses(
        (status = 200, body = Joined), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody, description = "group_not_found"),
        (status = 409, body = ErrorBody, description = "already_member, group_full")
    )
)]
pub(crate) async fn join(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<WhichGroup>,
) -> ApiResult<Joined> {
    let change = im.groups().join(&who.actor(), body.group_id.0).await?;
    Ok(axum::Json(Joined {
        message: "group joined",
        conversation: change.conversation,
    }))
}
