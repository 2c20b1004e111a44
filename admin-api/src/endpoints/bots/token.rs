//! `POST /api/admin/bot/token`.

use axum::extract::State;
use lingxi_http::{ApiResult, ErrorBody, Json, Operator};
use lingxi_im::Im;
use serde::Serialize;
use utoipa::ToSchema;

use super::shapes::WhichBot;

/// A token.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminBotToken)]
pub(crate) struct Token {
    /// For `Authorization: Bearer`, and for the WebSocket; shown this once.
    token: String,
}

/// One more token of a bot; those that it has go on working until they are revoked.
#[utoipa::path(
    post, path = "/api/admin/bot/token", tag = "admin", request_body = WhichBot, security(("bearer" = [])),
    responses(
        (status = 200, body = Token), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 404, body = ErrorBody, description = "user_not_found")
    )
)]
pub(crate) async fn token(
    State(im): State<Im>,
    Operator(who): Operator,
    Json(body): Json<WhichBot>,
) -> ApiResult<Token> {
    let token = im.bots().token(&body.username).await?;
    tracing::info!(operator = %who.username, bot = %body.username, "a bot got another token");
    Ok(axum::Json(Token { token }))
}
