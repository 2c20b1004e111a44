//! `POST /api/v1/contact/block`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Json};
use lingxi_im::Im;

use crate::rest::shapes::{Done, Named};

/// Blocks a user: their private messages and invitations are refused, and they do not see whether the caller is there.
#[utoipa::path(
    post, path = "/api/v1/contact/block", tag = "contact", request_body = Named, security(("bearer" = [])),
    responses(
        (status = 200, body = Done), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody, description = "user_not_found"),
        (status = 409, body = ErrorBody, description = "too_many_blocked")
    )
)]
pub(crate) async fn block(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<Named>,
) -> ApiResult<Done> {
    im.contacts().block(&who.actor(), &body.username).await?;
    Ok(Done::json("user blocked"))
}
