//! `POST /api/admin/bot/revoke`.

use axum::extract::State;
use lingxi_http::{ApiResult, ErrorBody, Json, Operator};
use lingxi_im::Im;

use super::shapes::{Done, WhichBot};

/// Ends all tokens of a bot, on every node, and closes its sockets and streams.
#[utoipa::path(
    post, path = "/api/admin/bot/revoke", tag = "admin", request_body = WhichBot, security(("bearer" = [])),
    responses(
        (status = 200, body = Done), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody, description = "user_not_found")
    )
)]
pub(crate) async fn revoke(
    State(im): State<Im>,
    Operator(who): Operator,
    Json(body): Json<WhichBot>,
) -> ApiResult<Done> {
    im.bots().revoke(&body.username).await?;
    tracing::info!(operator = %who.username, bot = %body.username, "a bot's tokens were revoked");
    Ok(axum::Json(Done {
        message: "tokens revoked",
    }))
}
