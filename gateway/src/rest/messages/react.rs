//! `POST /api/v1/message/react`.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use lingxi_http::{ApiError, Auth, ErrorBody, Json, Positive};
use lingxi_im::Im;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::rest::shapes::{Message, raw};

/// Which message, and with what.
#[derive(Deserialize, ToSchema)]
#[schema(as = MessageReactRequest)]
pub(crate) struct Reaction {
    #[schema(value_type = i64, minimum = 1)]
    id: Positive,
    /// One emoji.
    #[schema(example = "👍")]
    emoji: String,
    /// Whether the caller reacts so, or no longer.
    on: bool,
}

/// Reacts to a message, or no longer.
#[utoipa::path(
    post, path = "/api/v1/message/react", tag = "message", request_body = Reaction, security(("bearer" = [])),
    responses(
        (status = 200, body = Message), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not_member, muted, blocked"),
        (status = 404, body = ErrorBody, description = "message_not_found"),
        (status = 409, body = ErrorBody, description = "too_many_reactions")
    )
)]
pub(crate) async fn react(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<Reaction>,
) -> Result<Response, ApiError> {
    let messages = im.messages();
    let shown = messages
        .react(&who.actor(), body.id.0, (&body.emoji, body.on))
        .await?;
    Ok(axum::Json(raw(&shown)?).into_response())
}
