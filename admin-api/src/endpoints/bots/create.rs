//! `POST /api/admin/bot/create`.

use axum::extract::State;
use lingxi_http::{ApiResult, ErrorBody, Json, Operator};
use lingxi_im::Im;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A bot to be made.
#[derive(Deserialize, ToSchema)]
#[schema(as = AdminBotCreateRequest)]
pub(crate) struct Create {
    #[schema(example = "weather")]
    username: String,
    /// The name to show; the username when there is none.
    nickname: Option<String>,
}

/// A bot with its first token.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminBotCreated)]
pub(crate) struct Created {
    id: i64,
    username: String,
    /// For `Authorization: Bearer`, and for the WebSocket; shown this once.
    token: String,
}

/// Makes a bot: an account of a program, which has tokens instead of a password.
#[utoipa::path(
    post, path = "/api/admin/bot/create", tag = "admin", request_body = Create, security(("bearer" = [])),
    responses(
        (status = 200, body = Created), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody), (status = 409, body = ErrorBody, description = "username_taken, too_many_bots")
    )
)]
pub(crate) async fn create(
    State(im): State<Im>,
    Operator(who): Operator,
    Json(body): Json<Create>,
) -> ApiResult<Created> {
    let bots = im.bots();
    let made = bots
        .create(&body.username, body.nickname.as_deref())
        .await?;
    tracing::info!(operator = %who.username, bot = %made.username, "a bot was made");
    Ok(axum::Json(Created {
        id: made.id,
        username: made.username,
        token: made.token,
    }))
}
