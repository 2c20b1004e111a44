//! `POST /api/v1/message/recall`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Json, Positive};
use lingxi_im::Im;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which message.
#[derive(Deserialize, ToSchema)]
#[schema(as = MessageRecallRequest)]
pub(crate) struct Recall {
    #[schema(value_type = i64, minimum = 1, example = 7382904832_i64)]
    id: Positive,
}

/// The message was taken back.
#[derive(Serialize, ToSchema)]
#[schema(as = MessageRecalled)]
pub(crate) struct Recalled {
    #[schema(example = "message recalled")]
    message: &'static str,
    /// The conversation's key.
    #[schema(example = "d:1:2")]
    conversation: String,
    /// The place of the recall's own entry in the log.
    seq: i64,
}

/// Takes a message back: its sender within 2 minutes, a group's owner and administrators at any time.
#[utoipa::path(
    post, path = "/api/v1/message/recall", tag = "message", request_body = Recall, security(("bearer" = [])),
    responses(
        (status = 200, body = Recalled), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "recall_expired, forbidden, not_member"),
        (status = 404, body = ErrorBody, description = "message_not_found")
    )
)]
pub(crate) async fn recall(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<Recall>,
) -> ApiResult<Recalled> {
    let recalled = im.messages().recall(&who.actor(), body.id.0).await?;
    Ok(axum::Json(Recalled {
        message: "message recalled",
        conversation: recalled.conversation,
        seq: recalled.seq,
    }))
}
