//! `GET /api/v1/contact/list`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody};
use lingxi_im::Im;
use serde::Serialize;
use utoipa::ToSchema;

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
}

/// The caller's contacts.
#[utoipa::path(
    get, path = "/api/v1/contact/list", tag = "contact", security(("bearer" = [])),
    responses((status = 200, body = Contacts), (status = 401, body = ErrorBody))
)]
pub(crate) async fn list(State(im): State<Im>, Auth(who): Auth) -> ApiResult<Contacts> {
    let found = im.contacts().list(who.user_id).await?;
    let contacts = found.into_iter().map(|c| Contact {
        id: c.id,
        username: c.username,
        nickname: c.nickname,
        avatar: c.avatar,
        signature: c.signature,
        remark: c.remark,
        online: c.online,
    });
    Ok(axum::Json(Contacts {
        contacts: contacts.collect(),
    }))
}
