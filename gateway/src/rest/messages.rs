//! Conversations and what was said in them.

use axum::extract::State;
use lingxi_domain::{ConversationKey, ErrorCode, limits};
use lingxi_im::{ConversationSummary, Counterpart, HistoryQuery, Im, Reading, Target};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::error::{ApiError, ApiResult, ErrorBody};
use crate::extract::{Auth, Json, Position, Positive, Query};

/// A message, in the shape of the frame that pushes it. With `entries=all` also the log's other entries come, whose
/// `type` is 5 and which have `event`, `target`, `target_id` and `target_seq` in place of a content.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "messages are encoded by `im`; this is what the documentation says of them"
)]
pub(super) struct Message {
    id: i64,
    seq: i64,
    conversation: String,
    /// 2 private, 4 group, 5 another entry of the log.
    #[schema(rename = "type")]
    kind: i64,
    /// The sender's id for it.
    msg_id: String,
    /// The sender's username.
    from: String,
    /// The recipient's username, in a private conversation.
    to: Option<String>,
    /// The group, in a group.
    group_id: Option<i64>,
    /// Empty when recalled.
    content: String,
    created_at: i64,
    /// Present and true when recalled.
    recalled: Option<bool>,
    edited_at: Option<i64>,
}

fn raw(json: &[u8]) -> Result<Box<RawValue>, ApiError> {
    serde_json::from_slice(json).map_err(|error| {
        tracing::error!(%error, "a frame is not JSON");
        ErrorCode::Internal.into()
    })
}

/// Which page of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// At most 200; 50 when there is none.
    #[param(value_type = Option<i64>, minimum = 1)]
    limit: Option<Positive>,
    /// Only conversations with a lower `last_time`.
    #[param(value_type = Option<i64>, minimum = 0)]
    before: Option<Position>,
}

/// A conversation of the caller's.
#[derive(Serialize, ToSchema)]
pub(super) struct Conversation {
    /// Its key.
    #[schema(example = "d:1:2")]
    conversation: String,
    /// `private` or `group`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The other side's username, in a private conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    /// The other side's nickname, in a private conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    nickname: Option<String>,
    /// The group, in a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<i64>,
    /// The group's name, in a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Messages of others behind the read cursor.
    unread: i64,
    /// The newest entry of its log.
    last_seq: i64,
    /// Everything up to here was read.
    read_seq: i64,
    /// When its newest message was, or when it was made.
    last_time: i64,
    /// Its newest message.
    #[schema(value_type = Option<Message>)]
    last_message: Option<Box<RawValue>>,
}

impl TryFrom<ConversationSummary> for Conversation {
    type Error = ApiError;

    fn try_from(row: ConversationSummary) -> Result<Self, ApiError> {
        let (kind, username, nickname, group_id, name) = match row.with {
            Counterpart::User { username, nickname } => {
                ("private", Some(username), Some(nickname), None, None)
            }
            Counterpart::Group { id, name } => ("group", None, None, Some(id), Some(name)),
        };
        Ok(Self {
            conversation: row.conversation,
            kind,
            username,
            nickname,
            group_id,
            name,
            unread: row.unread,
            last_seq: row.last_seq,
            read_seq: row.read_seq,
            last_time: row.last_time,
            last_message: row
                .last_message
                .map(|json| raw(json.as_bytes()))
                .transpose()?,
        })
    }
}

/// The caller's conversations, newest `last_time` first.
#[derive(Serialize, ToSchema)]
pub(super) struct Conversations {
    conversations: Vec<Conversation>,
}

/// The caller's conversations, private and group in one list.
#[utoipa::path(
    get, path = "/api/v1/message/conversations", tag = "message", params(Page), security(("bearer" = [])),
    responses((status = 200, body = Conversations), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody))
)]
pub(super) async fn conversations(
    State(im): State<Im>,
    Auth(who): Auth,
    Query(page): Query<Page>,
) -> ApiResult<Conversations> {
    let limit = page
        .limit
        .map_or(limits::DEFAULT_PAGE, |Positive(limit)| limit);
    let before = page.before.map(|Position(before)| before);
    let rows = im.conversations().list(who.user_id, before, limit).await?;
    let conversations = rows
        .into_iter()
        .map(Conversation::try_from)
        .collect::<Result<_, _>>()?;
    Ok(axum::Json(Conversations { conversations }))
}

/// Which conversation, and which page of it.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryPage {
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
pub(super) struct History {
    #[schema(value_type = Vec<Message>)]
    messages: Vec<Box<RawValue>>,
    /// Whether there are more: later ones with `after`, earlier ones without.
    has_more: bool,
}

/// Reads a conversation back.
#[utoipa::path(
    get, path = "/api/v1/message/history", tag = "message", params(HistoryPage), security(("bearer" = [])),
    responses(
        (status = 200, body = History), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not_member"),
        (status = 404, body = ErrorBody, description = "user_not_found, group_not_found")
    )
)]
pub(super) async fn history(
    State(im): State<Im>,
    Auth(who): Auth,
    Query(page): Query<HistoryPage>,
) -> ApiResult<History> {
    let all_entries = match page.entries.as_deref() {
        None => false,
        Some("all") => true,
        Some(_) => {
            return Err(ApiError::invalid(
                "entries: use all, or leave it out for messages only.",
            ));
        }
    };
    let target = target(page.username, page.group_id, None)?;
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
    Ok(axum::Json(History {
        messages,
        has_more: found.has_more,
    }))
}

/// The one conversation that a request names.
fn target(
    username: Option<String>,
    group: Option<Positive>,
    key: Option<String>,
) -> Result<Target, ApiError> {
    match (username, group, key) {
        (Some(name), None, None) => Ok(Target::User(name)),
        (None, Some(Positive(id)), None) => Ok(Target::Group(id)),
        (None, None, Some(key)) => key
            .parse::<ConversationKey>()
            .map(Target::Key)
            .map_err(|_| ApiError::invalid("conversation: give a key such as d:1:2 or g:42.")),
        (None, None, None) => Err(ApiError::invalid(
            "Name the conversation: give a username or a group_id.",
        )),
        _ => Err(ApiError::invalid(
            "Name one conversation only: a username or a group_id, not both.",
        )),
    }
}

/// Which conversation, and how far it was read.
#[derive(Deserialize, ToSchema)]
pub(super) struct ReadUpTo {
    /// The other side of a private conversation; this, `group_id` or `conversation`.
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
pub(super) struct Cursor {
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
pub(super) async fn read(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<ReadUpTo>,
) -> ApiResult<Cursor> {
    let target = target(body.username, body.group_id, body.conversation)?;
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

/// Which message.
#[derive(Deserialize, ToSchema)]
pub(super) struct Recall {
    #[schema(value_type = i64, minimum = 1)]
    id: Positive,
}

/// The message was taken back.
#[derive(Serialize, ToSchema)]
pub(super) struct Recalled {
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
pub(super) async fn recall(
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
