//! `DELETE /api/admin/bot/webhook`.

use axum::extract::State;
use lingxi_http::{ApiResult, ErrorBody, Operator, Query};
use lingxi_im::Im;

use super::shapes::{Done, WhichBot};

/// Takes a bot's webhook away; nothing more is posted to it.
#[utoipa::path(
    delete, path = "/api/admin/bot/webhook", tag = "admin", params(WhichBot), security(("bearer" = [])),
    responses(
        (status = 200, body = Done), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody, description = "user_not_found")
    )
)]
pub(crate) async fn delete_webhook(
    State(im): State<Im>,
    Operator(who): Operator,
    Query(query): Query<WhichBot>,
) -> ApiResult<Done> {
    im.bots().remove_webhook(&query.username).await?;
    tracing::info!(operator = %who.username, bot = %query.username, "a webhook was removed");
    Ok(axum::Json(Done {
        message: "webhook deleted",
    }))
}
