//! `GET /api/v1/contact/list`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Query};
use lingxi_im::Im;
use serde::Serialize;
use utoipa::ToSchema;

use crate::rest::shapes::ByUsername;

/// A contact.
#[derive(Serialize, ToSchema)]
#[schema(as = Contact)]
pub(crate) struct Contact {
    id: i64,
    username: String,
    nickname: String,
    avatar: String,
    signature: String,
    /// What the caller calls the contact.
    remark: String,
    online: bool,
}

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
    let contacts = found.items.into_iter().map(|c| Contact {
        id: c.id,
        username: c.username,
        nickname: c.nickname,
        avatar: c.avatar,
        signature: c.signature,
        remark: c.remark,
        online: c.online,
    });
    Ok(axum::Json(Contacts {
        has_more: found.has_more,
        contacts: contacts.collect(),
    }))
}
