//! `GET /api/v1/message/history`.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use lingxi_http::{ApiError, Auth, ErrorBody, Position, Positive, Query};
use lingxi_im::{HistoryQuery, Im};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::rest::shapes::{Message, conversation, raw};

/// Which conversation, and which page of it.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryPage {
    /// The other side of a private conversation; this or `group_id`.
    username: Option<String>,
    /// The group; this or `username`.
    #[param(value_type = Option<i64>, minimum = 1)]
    group_id: Option<Positive>,
    /// Only entries with a lower seq.
    #[param(value_type = Option<i64>, minimum = 0)]
    before: Option<Position>,
    /// Only entries with a higher seq, the oldest of them first.
    #[param(value_type = Option<i64>, minimum = 0)]
    after: Option<Position>,
    /// At most 200; 50 when there is none.
    #[param(value_type = Option<i64>, minimum = 1)]
    limit: Option<Positive>,
    /// `all`: every entry of the log and not only messages, so that `seq` has no holes.
    entries: Option<String>,
}

/// A page of a conversation, oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = History)]
pub(crate) struct History<'a> {
    #[schema(value_type = Vec<Message>)]
    messages: Vec<&'a RawValue>,
    /// Whether there are more: later ones with `after`, earlier ones without.
    has_more: bool,
}

/// Reads a conversation back.
#[utoipa::path(
    get, path = "/api/v1/message/history", tag = "message", params(HistoryPage), security(("bearer" = [])),
    responses(
        (status = 200, body = History<'static>), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not_member"),
        (status = 404, body = ErrorBody, description = "user_not_found, group_not_found")
    )
)]
pub(crate) async fn history(
    State(im): State<Im>,
    Auth(who): Auth,
    Query(page): Query<HistoryPage>,
) -> Result<Response, ApiError> {
    let all_entries = match page.entries.as_deref() {
        None => false,
        Some("all") => true,
        Some(_) => {
            return Err(ApiError::invalid(
                "entries: use all, or leave it out for messages only.",
            ));
        }
    };
    let target = conversation(page.username, page.group_id, None)?;
    let query = HistoryQuery {
        before: page.before.map(|Position(seq)| seq),
        after: page.after.map(|Position(seq)| seq),
        limit: page.limit.map(|Positive(limit)| limit),
        all_entries,
    };
    let messages = im.messages();
    let key = messages.conversation(who.user_id, &target).await?;
    let found = messages.history(who.user_id, &key, &query).await?;
    let messages = found
        .messages
        .iter()
        .map(|json| raw(json))
        .collect::<Result<_, _>>()?;
    let history = History {
        messages,
        has_more: found.has_more,
    };
    Ok(axum::Json(history).into_response())
}
