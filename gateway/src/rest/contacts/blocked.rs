//! `GET /api/v1/contact/blocked`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Query};
use lingxi_im::Im;
use serde::Serialize;
use utoipa::ToSchema;

use crate::rest::shapes::{ByUsername, Person};

/// Whom the caller blocks, by name.
#[derive(Serialize, ToSchema)]
#[schema(as = BlockedUsers)]
pub(crate) struct Blocked {
    blocked: Vec<Person>,
    /// Whether there are more after the last one.
    has_more: bool,
}

/// Whom the caller blocks.
#[utoipa::path(
    get, path = "/api/v1/contact/blocked", tag = "contact", params(ByUsername), security(("bearer" = [])),
    responses((status = 200, body = Blocked), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody))
)]
pub(crate) async fn blocked(
    State(im): State<Im>,
    Auth(who): Auth,
    Query(page): Query<ByUsername>,
) -> ApiResult<Blocked> {
    let (contacts, page) = (im.contacts(), page.by_username());
    let found = contacts.blocked_page(who.user_id, &page).await?;
    Ok(axum::Json(Blocked {
        has_more: found.has_more,
        blocked: found.items.into_iter().map(Person::from).collect(),
    }))
}
