//! `GET /api/admin/bot/list`.

use axum::extract::State;
use lingxi_domain::limits::DEFAULT_PAGE;
use lingxi_http::{ApiResult, ErrorBody, Operator, Positive, Query};
use lingxi_im::{Bot, BotWebhook, Im};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// At most 200.
    #[param(value_type = Option<i64>)]
    limit: Option<Positive>,
    /// The last `id` of the page before.
    #[param(value_type = Option<i64>)]
    after: Option<Positive>,
}

/// Bots, the oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminBotList)]
pub(crate) struct Bots {
    bots: Vec<Row>,
    has_more: bool,
    /// How many there are.
    total: i64,
}

/// A bot.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminBot)]
pub(crate) struct Row {
    id: i64,
    username: String,
    nickname: String,
    created_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook: Option<Hook>,
}

/// Where a bot is told of messages. The secret is shown when it is set, and no more.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminBotListedWebhook)]
pub(crate) struct Hook {
    url: String,
    /// `active`, or `disabled` since its server answered 410.
    state: &'static str,
    /// Deliveries that wait for another attempt.
    queued: i64,
    /// Deliveries that were given up, of the last weeks.
    dead: i64,
}

impl From<BotWebhook> for Hook {
    fn from(webhook: BotWebhook) -> Self {
        Self {
            url: webhook.url,
            state: match webhook.disabled_at {
                None => "active",
                Some(_) => "disabled",
            },
            queued: webhook.queued,
            dead: webhook.dead,
        }
    }
}

impl From<Bot> for Row {
    fn from(bot: Bot) -> Self {
        Self {
            id: bot.id,
            username: bot.username,
            nickname: bot.nickname,
            created_at: bot.created_at,
            webhook: bot.webhook.map(Hook::from),
        }
    }
}

/// The bots.
#[utoipa::path(
    get, path = "/api/admin/bot/list", tag = "admin", params(Page), security(("bearer" = [])),
    responses(
        (status = 200, body = Bots), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody)
    )
)]
pub(crate) async fn list(
    State(im): State<Im>,
    Operator(_who): Operator,
    Query(page): Query<Page>,
) -> ApiResult<Bots> {
    let limit = page.limit.map_or(DEFAULT_PAGE, |limit| limit.0);
    let after = page.after.map(|after| after.0);
    let (found, total) = im.bots().page(after, limit).await?;
    Ok(axum::Json(Bots {
        has_more: found.has_more,
        total,
        bots: found.items.into_iter().map(Row::from).collect(),
    }))
}
