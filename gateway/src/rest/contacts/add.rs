//! `POST /api/v1/contact/add`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Json};
use lingxi_im::Im;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::rest::shapes::Done;

/// Whom to add.
#[derive(Deserialize, ToSchema)]
#[schema(as = ContactAddRequest)]
pub(crate) struct Add {
    #[schema(example = "bob")]
    username: String,
    /// What the caller calls the contact; one that is there keeps its remark when there is none.
    remark: Option<String>,
}

/// Adds a contact, or changes its remark.
#[utoipa::path(
    post, path = "/api/v1/contact/add", tag = "contact", request_body = Add, security(("bearer" = [])),
    responses(
        (status = 200, body = Done), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody, description = "user_not_found")
    )
)]
pub(crate) async fn add(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<Add>,
) -> ApiResult<Done> {
    im.contacts()
        .add(&who.actor(), &body.username, body.remark.as_deref())
        .await?;
    Ok(Done::json("contact added"))
}
