//! `PUT /api/v1/message/mute`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Json, Position};
use lingxi_im::Im;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rest::shapes::conversation;

/// Which conversation, and until when.
#[derive(Deserialize, ToSchema)]
#[schema(as = ConversationMuteRequest)]
pub(crate) struct Mute {
    /// Its key.
    #[schema(example = "g:42")]
    conversation: String,
    /// Milliseconds since the Unix epoch; 0 lifts it.
    #[schema(value_type = i64, minimum = 0)]
    until: Position,
}

/// Until when the caller wants no notifications.
#[derive(Serialize, ToSchema)]
#[schema(as = ConversationMuted)]
pub(crate) struct Muted {
    conversation: String,
    muted_until: i64,
}

/// The caller wants no notifications of a conversation until a time. Everything is pushed as before: clients heed it.
#[utoipa::path(
    put, path = "/api/v1/message/mute", tag = "message", request_body = Mute, security(("bearer" = [])),
    responses(
        (status = 200, body = Muted), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not_member, forbidden"),
        (status = 404, body = ErrorBody, description = "group_not_found, message_not_found")
    )
)]
pub(crate) async fn mute(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<Mute>,
) -> ApiResult<Muted> {
    let target = conversation(None, None, Some(body.conversation))?;
    let messages = im.messages();
    let key = messages.conversation(who.user_id, &target).await?;
    messages.quiet(who.user_id, key, body.until.0).await?;
    Ok(axum::Json(Muted {
        conversation: key.to_string(),
        muted_until: body.until.0,
    }))
}
