//! `PUT /api/v1/contact/remark`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Json};
use lingxi_im::Im;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::rest::shapes::Contact;

/// Whom, and what to call them.
#[derive(Deserialize, ToSchema)]
#[schema(as = ContactRemarkRequest)]
pub(crate) struct Remark {
    #[schema(example = "bob")]
    username: String,
    /// What the caller calls the contact; an empty one is none.
    remark: String,
}

/// Changes what the caller calls a contact. The contact does not learn of it.
#[utoipa::path(
    put, path = "/api/v1/contact/remark", tag = "contact", request_body = Remark, security(("bearer" = [])),
    responses(
        (status = 200, body = Contact), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody, description = "user_not_found, contact_not_found")
    )
)]
pub(crate) async fn remark(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<Remark>,
) -> ApiResult<Contact> {
    let contacts = im.contacts();
    let changed = contacts
        .set_remark(who.user_id, &body.username, &body.remark)
        .await?;
    Ok(axum::Json(changed.into()))
}
