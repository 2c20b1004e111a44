//! The caller's contacts.

use axum::extract::State;
use lingxi_im::Im;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Done;
use crate::error::{ApiResult, ErrorBody};
use crate::extract::{Auth, Json};

/// A contact.
#[derive(Serialize, ToSchema)]
pub(super) struct Contact {
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
pub(super) struct Contacts {
    contacts: Vec<Contact>,
}

/// The caller's contacts.
#[utoipa::path(
    get, path = "/api/v1/contact/list", tag = "contact", security(("bearer" = [])),
    responses((status = 200, body = Contacts), (status = 401, body = ErrorBody))
)]
pub(super) async fn list(State(im): State<Im>, Auth(who): Auth) -> ApiResult<Contacts> {
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

/// Whom to add.
#[derive(Deserialize, ToSchema)]
pub(super) struct Add {
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
pub(super) async fn add(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<Add>,
) -> ApiResult<Done> {
    im.contacts()
        .add(&who.actor(), &body.username, body.remark.as_deref())
        .await?;
    Ok(Done::json("contact added"))
}

/// Whom to delete.
#[derive(Deserialize, ToSchema)]
pub(super) struct Delete {
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
pub(super) async fn delete(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<Delete>,
) -> ApiResult<Done> {
    im.contacts().delete(&who.actor(), &body.username).await?;
    Ok(Done::json("contact deleted"))
}
