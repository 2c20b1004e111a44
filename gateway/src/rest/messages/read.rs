//! `POST /api/v1/message/read`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Json, Position, Positive};
use lingxi_im::{Im, Reading};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rest::shapes::conversation;

/// Which conversation, and how far it was read.
#[derive(Deserialize, ToSchema)]
#[schema(as = MessageReadRequest)]
pub(crate) struct ReadUpTo {
    /// The other side of a private conversation; this, `group_id` or `conversation`.
    #[schema(example = "bob")]
    username: Option<String>,
    /// The group.
    #[schema(value_type = Option<i64>, minimum = 1)]
    group_id: Option<Positive>,
    /// The conversation's key.
    conversation: Option<String>,
    /// Everything up to here was read; the newest entry when there is none.
    #[schema(value_type = Option<i64>, minimum = 0)]
    seq: Option<Position>,
}

/// Where the read cursor stands.
#[derive(Serialize, ToSchema)]
#[schema(as = ReadCursor)]
pub(crate) struct Cursor {
    /// The conversation's key.
    #[schema(example = "d:1:2")]
    conversation: String,
    read_seq: i64,
}

/// Moves the caller's read cursor forward; it never moves back.
#[utoipa::path(
    post, path = "/api/v1/message/read", tag = "message", request_body = ReadUpTo, security(("bearer" = [])),
    responses(
        (status = 200, body = Cursor), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not_member, forbidden"),
        (status = 404, body = ErrorBody, description = "user_not_found, group_not_found")
    )
)]
pub(crate) async fn read(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<ReadUpTo>,
) -> ApiResult<Cursor> {
    let target = conversation(body.username, body.group_id, body.conversation)?;
    let messages = im.messages();
    let key = messages.conversation(who.user_id, &target).await?;
    let seq = body.seq.map(|Position(seq)| seq);
    let reading = Reading {
        actor: who.actor(),
        key,
        upto: seq,
    };
    let read_seq = messages.mark_read(reading).await?;
    Ok(axum::Json(Cursor {
        conversation: key.to_string(),
        read_seq,
    }))
}
