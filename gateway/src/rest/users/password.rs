//! `PUT /api/v1/user/password`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, Client, ErrorBody, Json};
use lingxi_im::Im;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::rest::shapes::Session;

/// The password that is, and the one that is to be.
#[derive(Deserialize, ToSchema)]
#[schema(as = UserPasswordRequest)]
pub(crate) struct Change {
    #[schema(example = "correct horse")]
    old_password: String,
    new_password: String,
}

/// Changes the caller's password. Every token stops working within a second and the sockets are closed; the answer has a new
/// one in place of the caller's.
#[utoipa::path(
    put, path = "/api/v1/user/password", tag = "user", request_body = Change, security(("bearer" = [])),
    responses(
        (status = 200, body = Session), (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody, description = "unauthorized, invalid_credentials"),
        (status = 429, body = ErrorBody)
    )
)]
pub(crate) async fn password(
    State(im): State<Im>,
    Auth(who): Auth,
    Client(client): Client,
    Json(body): Json<Change>,
) -> ApiResult<Session> {
    let passwords = (body.old_password.as_str(), body.new_password.as_str());
    let session = im
        .accounts()
        .change_password(&who, passwords, client)
        .await?;
    Ok(axum::Json(session.into()))
}
