//! `GET /api/v1/message/search`.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use lingxi_http::{ApiError, Auth, ErrorBody, Position, Positive, Query};
use lingxi_im::{Im, SearchQuery, SearchedKind};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::rest::shapes::{FoundMessage, optional_conversation, raw};

/// What is looked for, and where.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct MessageSearch {
    /// Words that the message or its file's name has, all of them, in any order: a word of letters is found by its first ones (two at least),
    /// Chinese, other scripts without spaces and emoji wherever they stand. Case, width and form do not count. At most eight
    /// words and 128 characters.
    #[param(example = "明天 meeting")]
    keyword: String,
    /// Only in the private conversation with this user.
    username: Option<String>,
    /// Only in this group.
    #[param(value_type = Option<i64>, minimum = 1)]
    group_id: Option<Positive>,
    /// Only in the conversation with this key.
    conversation: Option<String>,
    /// Only what this user wrote, by username.
    from: Option<String>,
    /// Only messages that bring this: `text` (no file), `file` (any), `image`, `video` or `audio`.
    #[param(value_type = Option<String>, example = "image")]
    kind: Option<SearchedKind>,
    /// Only from this time on, milliseconds since the Unix epoch.
    #[param(value_type = Option<i64>, minimum = 0)]
    since: Option<Position>,
    /// Only before this time.
    #[param(value_type = Option<i64>, minimum = 0)]
    until: Option<Position>,
    /// The `next` of an earlier page.
    #[param(value_type = Option<i64>, minimum = 1)]
    before: Option<Positive>,
    /// At most 200; 50 when there is none.
    #[param(value_type = Option<i64>, minimum = 1)]
    limit: Option<Positive>,
}

/// A page of what was found, the newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = FoundMessages)]
pub(crate) struct Found<'a> {
    #[schema(value_type = Vec<FoundMessage>)]
    messages: Vec<&'a RawValue>,
    /// Whether to go on with `next`. A page may be short, or empty, and still have more behind it: what is looked at for one
    /// is bounded.
    has_more: bool,
    /// Goes on behind this page, as `before`.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
    /// Present and true while some messages cannot be found yet.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    indexing: bool,
}

/// Searches the messages of the caller's own conversations, as they are now.
#[utoipa::path(
    get, path = "/api/v1/message/search", tag = "message", params(MessageSearch), security(("bearer" = [])),
    responses(
        (status = 200, body = Found<'static>), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not_member, forbidden"),
        (status = 404, body = ErrorBody, description = "user_not_found, group_not_found")
    )
)]
pub(crate) async fn search(
    State(im): State<Im>,
    Auth(who): Auth,
    Query(asked): Query<MessageSearch>,
) -> Result<Response, ApiError> {
    let query = SearchQuery {
        keyword: asked.keyword,
        within: optional_conversation(asked.username, asked.group_id, asked.conversation)?,
        from: asked.from,
        kind: asked.kind,
        since: asked.since.map(|Position(time)| time),
        until: asked.until.map(|Position(time)| time),
        before: asked.before.map(|Positive(id)| id),
        limit: asked.limit.map(|Positive(limit)| limit),
    };
    let page = im.messages().search(who.user_id, &query).await?;
    let messages = page.messages.iter().map(|json| raw(json));
    let found = Found {
        messages: messages.collect::<Result<_, _>>()?,
        has_more: page.next.is_some(),
        next: page.next,
        indexing: page.indexing,
    };
    Ok(axum::Json(found).into_response())
}
