//! `POST /api/v1/message/forward`.

use std::borrow::Cow;

use axum::extract::State;
use lingxi_domain::frame::client::Recipient;
use lingxi_http::{ApiError, ApiResult, Auth, ErrorBody, Json, Positive};
use lingxi_im::Im;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which message, and to whom.
#[derive(Deserialize, ToSchema)]
#[schema(as = MessageForwardRequest)]
pub(crate) struct Forward {
    #[schema(value_type = i64, minimum = 1)]
    id: Positive,
    /// A username; this or `group_id`.
    #[schema(example = "bob")]
    to: Option<String>,
    #[schema(value_type = Option<i64>, minimum = 1)]
    group_id: Option<Positive>,
    /// The caller's id for the copy: with it the same request may be made again.
    msg_id: Option<String>,
}

/// The copy was sent.
#[derive(Serialize, ToSchema)]
#[schema(as = MessageForwarded)]
pub(crate) struct Forwarded {
    #[schema(example = "message forwarded")]
    message: &'static str,
    /// The conversation's key.
    #[schema(example = "d:1:2")]
    conversation: String,
    id: i64,
    seq: i64,
}

/// Sends a copy of a message, which says who said it first.
#[utoipa::path(
    post, path = "/api/v1/message/forward", tag = "message", request_body = Forward, security(("bearer" = [])),
    responses(
        (status = 200, body = Forwarded), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not_member, muted, blocked"),
        (status = 404, body = ErrorBody, description = "message_not_found, user_not_found, group_not_found"),
        (status = 409, body = ErrorBody, description = "idempotency_conflict")
    )
)]
pub(crate) async fn forward(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<Forward>,
) -> ApiResult<Forwarded> {
    let to = match (&body.to, body.group_id) {
        (Some(name), None) => Recipient::User(Cow::Borrowed(name)),
        (None, Some(Positive(id))) => Recipient::Group(id),
        _ => {
            let message = "Name one recipient: a username in to, or a group_id.";
            return Err(ApiError::invalid(message));
        }
    };
    let (messages, which) = (im.messages(), (body.id.0, to));
    let sent = messages
        .forward(&who.actor(), which, body.msg_id.as_deref())
        .await?;
    Ok(axum::Json(Forwarded {
        message: "message forwarded",
        conversation: sent.conversation,
        id: sent.id,
        seq: sent.seq,
    }))
}
