//! `PUT /api/v1/message/edit`.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use lingxi_http::{ApiError, Auth, ErrorBody, Json, Positive};
use lingxi_im::Im;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::rest::shapes::{Message, raw};

/// Which message, and its text.
#[derive(Deserialize, ToSchema)]
#[schema(as = MessageEditRequest)]
pub(crate) struct Edit {
    #[schema(value_type = i64, minimum = 1)]
    id: Positive,
    /// The text that it is to have.
    #[schema(min_length = 1, max_length = 16384, example = "hi, all")]
    content: String,
}

/// Gives a message another text; its sender may within 15 minutes.
#[utoipa::path(
    put, path = "/api/v1/message/edit", tag = "message", request_body = Edit, security(("bearer" = [])),
    responses(
        (status = 200, body = Message), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "edit_expired, forbidden, not_member, muted, blocked"),
        (status = 404, body = ErrorBody, description = "message_not_found"),
        (status = 413, body = ErrorBody, description = "too_large")
    )
)]
pub(crate) async fn edit(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<Edit>,
) -> Result<Response, ApiError> {
    let messages = im.messages();
    let shown = messages
        .edit(&who.actor(), body.id.0, &body.content)
        .await?;
    Ok(axum::Json(raw(&shown)?).into_response())
}
