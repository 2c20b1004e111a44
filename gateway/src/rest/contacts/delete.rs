//! `POST /api/v1/contact/delete`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Json};
use lingxi_im::Im;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::rest::shapes::Done;

/// Whom to delete.
#[derive(Deserialize, ToSchema)]
#[schema(as = ContactDeleteRequest)]
pub(crate) struct Delete {
    #[schema(example = "bob")]
    username: String,
}

/// Takes a contact off the list.
#[utoipa::path(
    post, path = "/api/v1/contact/delete", tag = "contact", request_body = Delete, security(("bearer" = [])),
    responses(
        (status = 200, body = Done), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody, description = "user_not_found, contact_not_found")
    )
)]
pub(crate) async fn delete(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<Delete>,
) -> ApiResult<Done> {
    im.contacts().delete(&who.actor(), &body.username).await?;
    Ok(Done::json("contact deleted"))
}
