//! `POST /api/v1/contact/unblock`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Json};
use lingxi_im::Im;

use crate::rest::shapes::{Done, Named};

/// No longer blocks a user.
#[utoipa::path(
    post, path = "/api/v1/contact/unblock", tag = "contact", request_body = Named, security(("bearer" = [])),
    responses(
        (status = 200, body = Done), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody, description = "user_not_found")
    )
)]
pub(crate) async fn unblock(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<Named>,
) -> ApiResult<Done> {
    im.contacts().unblock(&who.actor(), &body.username).await?;
    Ok(Done::json("user unblocked"))
}
