//! `GET /api/v1/message/conversations`.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use lingxi_domain::{limits, now_ms};
use lingxi_http::{ApiError, Auth, ErrorBody, Position, Positive, Query};
use lingxi_im::{ConversationSummary, Counterpart, Im};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::rest::shapes::{Message, raw};

/// What a row takes beside its message, in bytes: names may be long.
const ROW_BYTES: usize = 1024;

/// Which page of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// At most 200; 50 when there is none.
    #[param(value_type = Option<i64>, minimum = 1)]
    limit: Option<Positive>,
    /// Only conversations with a lower `last_time`.
    #[param(value_type = Option<i64>, minimum = 0)]
    before: Option<Position>,
}

/// A conversation of the caller's.
#[derive(Serialize, ToSchema)]
#[schema(as = Conversation)]
pub(crate) struct Conversation<'a> {
    /// Its key.
    #[schema(example = "d:1:2")]
    conversation: &'a str,
    /// `private` or `group`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The other side's username, in a private conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    /// The other side's nickname, in a private conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    nickname: Option<&'a str>,
    /// The group, in a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<i64>,
    /// The group's name, in a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    /// Messages of others behind the read cursor.
    unread: i64,
    /// Messages of others behind the read cursor that mention the caller.
    mentions: i64,
    /// The newest entry of its log.
    last_seq: i64,
    /// Everything up to here was read.
    read_seq: i64,
    /// How far the other side of a private conversation has read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    peer_read_seq: Option<i64>,
    /// Until when the caller wants no notifications of it; absent for those who want them.
    #[serde(skip_serializing_if = "Option::is_none")]
    muted_until: Option<i64>,
    /// When its newest message was, or when it was made.
    last_time: i64,
    /// Its newest message.
    #[schema(value_type = Option<Message>)]
    last_message: Option<&'a RawValue>,
}

impl<'a> TryFrom<&'a ConversationSummary> for Conversation<'a> {
    type Error = ApiError;

    fn try_from(row: &'a ConversationSummary) -> Result<Self, ApiError> {
        let (kind, username, nickname, group_id, name) = match &row.with {
            Counterpart::User { username, nickname } => (
                "private",
                Some(username.as_str()),
                Some(nickname.as_str()),
                None,
                None,
            ),
            Counterpart::Group { id, name } => {
                ("group", None, None, Some(*id), Some(name.as_str()))
            }
        };
        Ok(Self {
            conversation: &row.conversation,
            kind,
            username,
            nickname,
            group_id,
            name,
            unread: row.unread,
            mentions: row.mentions,
            last_seq: row.last_seq,
            read_seq: row.read_seq,
            peer_read_seq: row.peer_read_seq,
            muted_until: Some(row.muted_until).filter(|&until| until > now_ms()),
            last_time: row.last_time,
            last_message: row
                .last_message
                .as_ref()
                .map(|json| raw(json.as_bytes()))
                .transpose()?,
        })
    }
}

/// The caller's conversations, newest `last_time` first.
#[derive(Serialize, ToSchema)]
#[schema(as = Conversations)]
pub(crate) struct Conversations<'a> {
    conversations: Vec<Conversation<'a>>,
    /// Whether there may be more, `before` the last one's `last_time`.
    has_more: bool,
}

/// The caller's conversations, private and group in one list.
#[utoipa::path(
    get, path = "/api/v1/message/conversations", tag = "message", params(Page), security(("bearer" = [])),
    responses((status = 200, body = Conversations<'static>), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody))
)]
pub(crate) async fn conversations(
    State(im): State<Im>,
    Auth(who): Auth,
    Query(page): Query<Page>,
) -> Result<Response, ApiError> {
    let limit = page
        .limit
        .map_or(limits::DEFAULT_PAGE, |Positive(limit)| limit)
        .min(limits::MAX_PAGE);
    let before = page.before.map(|Position(before)| before);
    let rows = im.conversations().list(who.user_id, before, limit).await?;
    let shown = fitting(&rows);
    let conversations = rows[..shown]
        .iter()
        .map(Conversation::try_from)
        .collect::<Result<_, _>>()?;
    let list = Conversations {
        conversations,
        has_more: shown < rows.len() || i64::try_from(rows.len()).is_ok_and(|rows| rows >= limit),
    };
    Ok(axum::Json(list).into_response())
}

/// How many of these a page holds: it ends at [`limits::MAX_PAGE_BYTES`] of messages, and, since the next page begins
/// before a `last_time`, only between two of them.
fn fitting(rows: &[ConversationSummary]) -> usize {
    let mut bytes = 0;
    for (at, row) in rows.iter().enumerate() {
        bytes += row.last_message.as_ref().map_or(0, String::len) + ROW_BYTES;
        let new_time = at > 0 && rows[at - 1].last_time != row.last_time;
        if bytes > limits::MAX_PAGE_BYTES && new_time {
            return at;
        }
    }
    rows.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_at_its_bytes_and_between_two_times() {
        let row = |last_time: i64, bytes: usize| ConversationSummary {
            conversation: "g:1".to_owned(),
            with: Counterpart::Group {
                id: 1,
                name: "g".to_owned(),
            },
            unread: 0,
            mentions: 0,
            last_seq: 1,
            read_seq: 1,
            peer_read_seq: None,
            muted_until: 0,
            last_time,
            last_message: Some("x".repeat(bytes)),
        };
        let rows: Vec<_> = (0..200).map(|n| row(1000 - n, 60_000)).collect();
        assert_eq!(fitting(&rows), 17);
        let same: Vec<_> = (0..200).map(|_| row(1000, 60_000)).collect();
        assert_eq!(fitting(&same), 200);
        assert_eq!(fitting(&rows[..3]), 3);
        assert_eq!(fitting(&[row(1, 2 << 20), row(0, 1)]), 1);
        assert_eq!(fitting(&[]), 0);
    }
}
