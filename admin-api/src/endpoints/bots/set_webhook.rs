//! `PUT /api/admin/bot/webhook`.

use axum::extract::State;
use lingxi_http::{ApiResult, ErrorBody, Json, Operator};
use lingxi_im::Im;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a bot wants to be told of messages.
#[derive(Deserialize, ToSchema)]
#[schema(as = AdminBotWebhookRequest)]
pub(crate) struct SetWebhook {
    #[schema(example = "weather")]
    username: String,
    #[schema(example = "https://example.org/hook")]
    url: String,
    /// `whsec_` and 24 to 64 bytes in Base64; a new one when there is none.
    secret: Option<String>,
}

/// A webhook as it is now.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminBotWebhook)]
pub(crate) struct Webhook {
    url: String,
    /// What its deliveries are signed with, as Standard Webhooks says.
    secret: String,
}

/// Sets or changes a bot's webhook: each message that the bot receives from now on is posted to it, signed. One that was
/// disabled because its server answered 410 begins anew.
#[utoipa::path(
    put, path = "/api/admin/bot/webhook", tag = "admin", request_body = SetWebhook, security(("bearer" = [])),
    responses(
        (status = 200, body = Webhook),
        (status = 400, body = ErrorBody, description = "also for a private address"),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody, description = "user_not_found")
    )
)]
pub(crate) async fn set_webhook(
    State(im): State<Im>,
    Operator(who): Operator,
    Json(body): Json<SetWebhook>,
) -> ApiResult<Webhook> {
    let bots = im.bots();
    let set = bots
        .set_webhook(&body.username, &body.url, body.secret.as_deref())
        .await?;
    tracing::info!(operator = %who.username, bot = %body.username, "a webhook was set");
    Ok(axum::Json(Webhook {
        url: set.url,
        secret: set.secret,
    }))
}
