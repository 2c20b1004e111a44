//! Messages.

use lingxi_domain::ErrorCode;
use lingxi_http::ApiError;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::File;

/// A message, in the shape of the frame that pushes it. With `entries=all` also the log's other entries come, whose
/// `type` is 5 and which have `event`, `target`, `target_id` and `target_seq` in place of a content.
#[derive(ToSchema)]
#[schema(as = Message)]
#[expect(
    dead_code,
    reason = "messages are encoded by `im`; this is what the documentation says of them"
)]
pub(crate) struct Message {
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
    /// The message that it answers.
    reply_to: Option<Quote>,
    /// Whom it mentions, by username; `@all` is everybody.
    mentions: Option<Vec<String>>,
    /// The username of who said it first, where it was forwarded.
    forwarded_from: Option<String>,
    /// The file that it brings; gone when recalled.
    file: Option<File>,
    /// What people reacted, of each the first one's first.
    reactions: Option<Vec<Reaction>>,
}

/// A message that was found, in the shape of the frame that pushes it and with the part of it that was looked for.
#[derive(ToSchema)]
#[schema(as = FoundMessage)]
#[expect(
    dead_code,
    reason = "messages are encoded by `im`; this is what the documentation says of them"
)]
pub(crate) struct FoundMessage {
    #[schema(inline)]
    #[serde(flatten)]
    message: Message,
    snippet: Snippet,
}

/// The part of a message where the keyword stands.
#[derive(ToSchema)]
#[schema(as = Snippet)]
#[expect(
    dead_code,
    reason = "messages are encoded by `im`; this is what the documentation says of them"
)]
pub(crate) struct Snippet {
    /// At most 120 characters, with `…` where it was cut.
    text: String,
    /// Where it stands in `text`: first and behind, in UTF-16 code units, as JavaScript counts.
    #[schema(value_type = Vec<[u32; 2]>, example = json!([[4, 6]]))]
    marks: Vec<(usize, usize)>,
}

/// A message that another one answers, as it is now.
#[derive(ToSchema)]
#[schema(as = Quote)]
#[expect(
    dead_code,
    reason = "messages are encoded by `im`; this is what the documentation says of them"
)]
pub(crate) struct Quote {
    id: i64,
    seq: i64,
    /// The sender's username.
    from: String,
    /// The first 100 characters of its text; empty when recalled.
    content: String,
    /// The file that it brings.
    file: Option<File>,
}

/// How many reacted with one emoji.
#[derive(ToSchema)]
#[schema(as = Reaction)]
#[expect(
    dead_code,
    reason = "messages are encoded by `im`; this is what the documentation says of them"
)]
pub(crate) struct Reaction {
    #[schema(example = "👍")]
    emoji: String,
    count: i64,
    /// Whether the caller is one of them.
    mine: bool,
}

/// A message as `im` encoded it, to be put into an answer as it is and without a copy.
pub(crate) fn raw(json: &[u8]) -> Result<&RawValue, ApiError> {
    serde_json::from_slice(json).map_err(|error| {
        tracing::error!(%error, "a frame is not JSON");
        ErrorCode::Internal.into()
    })
}
