//! `POST /api/v1/group/pin`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Json, Positive};
use lingxi_im::Im;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::rest::shapes::Done;

/// Which message.
#[derive(Deserialize, ToSchema)]
#[schema(as = GroupPinRequest)]
pub(crate) struct Pin {
    #[schema(value_type = i64, minimum = 1, example = 7382904832_i64)]
    id: Positive,
    /// Whether it is kept in sight, or no longer.
    on: bool,
}

/// Keeps a message of a group in sight, or no longer; for its owner and administrators.
#[utoipa::path(
    post, path = "/api/v1/group/pin", tag = "group", request_body = Pin, security(("bearer" = [])),
    responses(
        (status = 200, body = Done), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not_member, forbidden, muted"),
        (status = 404, body = ErrorBody, description = "message_not_found"),
        (status = 409, body = ErrorBody, description = "too_many_pins")
    )
)]
pub(crate) async fn pin(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<Pin>,
) -> ApiResult<Done> {
    im.messages().pin(&who.actor(), body.id.0, body.on).await?;
    Ok(Done::json(if body.on {
        "message pinned"
    } else {
        "message unpinned"
    }))
}
