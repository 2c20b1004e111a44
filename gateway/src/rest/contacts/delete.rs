//! `POST /api/v1/contact/delete`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Json};
use lingxi_im::Im;

use crate::rest::shapes::{Done, Named};

/// Takes a contact off the list.
#[utoipa::path(
    post, path = "/api/v1/contact/delete", tag = "contact", request_body = Named, security(("bearer" = [])),
    responses(
        (status = 200, body = Done), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody, description = "user_not_found, contact_not_found")
    )
)]
pub(crate) async fn delete(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<Named>,
) -> ApiResult<Done> {
    im.contacts().delete(&who.actor(), &body.username).await?;
    Ok(Done::json("contact deleted"))
}
