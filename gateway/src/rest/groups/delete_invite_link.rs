//! `DELETE /api/v1/group/invite_link`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Query};
use lingxi_im::Im;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::rest::shapes::Done;

/// Which link.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// As it was answered when it was made.
    code: String,
}

/// Takes a link away; for whoever made it, and for the owner and administrators.
#[utoipa::path(
    delete, path = "/api/v1/group/invite_link", tag = "group", params(Which), security(("bearer" = [])),
    responses(
        (status = 200, body = Done), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not_member, forbidden"),
        (status = 404, body = ErrorBody, description = "invite_link_not_found")
    )
)]
pub(crate) async fn delete_invite_link(
    State(im): State<Im>,
    Auth(who): Auth,
    Query(query): Query<Which>,
) -> ApiResult<Done> {
    im.groups().delete_link(&who.actor(), &query.code).await?;
    Ok(Done::json("invite link deleted"))
}
