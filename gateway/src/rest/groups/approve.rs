//! `POST /api/v1/group/approve`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Json, Positive};
use lingxi_im::Im;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::rest::shapes::Done;

/// The answer to somebody who waits.
#[derive(Deserialize, ToSchema)]
#[schema(as = GroupApproveRequest)]
pub(crate) struct Answer {
    #[schema(value_type = i64, minimum = 1)]
    group_id: Positive,
    #[schema(example = "bob")]
    username: String,
    /// Whether they are let in.
    approve: bool,
}

/// Lets somebody in who waits, or not; for the owner and administrators.
#[utoipa::path(
    post, path = "/api/v1/group/approve", tag = "group", request_body = Answer, security(("bearer" = [])),
    responses(
        (status = 200, body = Done), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not_member, forbidden"),
        (status = 404, body = ErrorBody, description = "group_not_found, user_not_found, request_not_found"),
        (status = 409, body = ErrorBody, description = "group_full, too_many_groups")
    )
)]
pub(crate) async fn approve(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<Answer>,
) -> ApiResult<Done> {
    let whom = (body.group_id.0, body.username.as_str());
    im.groups()
        .answer_request(&who.actor(), whom, body.approve)
        .await?;
    Ok(Done::json(if body.approve {
        "request approved"
    } else {
        "request rejected"
    }))
}
