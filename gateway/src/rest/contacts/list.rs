//! `GET /api/v1/contact/list`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Query};
use lingxi_im::Im;
use serde::Serialize;
use utoipa::ToSchema;

use crate::rest::shapes::{ByUsername, Contact};

/// The caller's contacts, by name.
#[derive(Serialize, ToSchema)]
#[schema(as = Contacts)]
pub(crate) struct Contacts {
    contacts: Vec<Contact>,
    /// Whether there are more after the last one.
    has_more: bool,
}

/// The caller's contacts.
#[utoipa::path(
    get, path = "/api/v1/contact/list", tag = "contact", params(ByUsername), security(("bearer" = [])),
    responses((status = 200, body = Contacts), (status = 401, body = ErrorBody))
)]
pub(crate) async fn list(
    State(im): State<Im>,
    Auth(who): Auth,
    Query(page): Query<ByUsername>,
) -> ApiResult<Contacts> {
    let found = im.contacts().page(who.user_id, &page.by_username()).await?;
    Ok(axum::Json(Contacts {
        has_more: found.has_more,
        contacts: found.items.into_iter().map(Contact::from).collect(),
    }))
}
