//! A message of a conversation.

use schemars::JsonSchema;
use serde::Serialize;

use super::list::encode;
use crate::detail::FileDetail;
use crate::frame::kind;
use crate::{ConversationKey, FileId, GroupId, Seq};

/// The message that another one answers, as it is now.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Quote<'a> {
    /// Its id.
    pub id: i64,
    /// Its place in the conversation's log.
    pub seq: Seq,
    /// Its sender's username.
    pub from: &'a str,
    /// The first 100 characters of its text; empty when recalled.
    pub content: &'a str,
    /// The file that it brings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<File>,
}

/// A file that a message brings.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct File {
    /// Its id.
    pub id: FileId,
    /// What it is called.
    pub name: String,
    /// Its bytes.
    pub size: i64,
    /// Its media type.
    pub mime: String,
    /// How wide a picture is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<i64>,
    /// How high a picture is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<i64>,
    /// The path of a small one, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thumbnail: Option<String>,
}

impl From<FileDetail> for File {
    fn from(file: FileDetail) -> Self {
        let thumbnail = || format!("/api/v1/file/{}/thumbnail", file.id);
        Self {
            id: file.id,
            thumbnail: file.thumbnail.then(thumbnail),
            name: file.name,
            size: file.size,
            mime: file.mime,
            width: file.pixels.map(|(width, _)| width),
            height: file.pixels.map(|(_, height)| height),
        }
    }
}

/// How many reacted with one emoji.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Reaction<'a> {
    /// The emoji.
    pub emoji: &'a str,
    /// How many.
    pub count: i64,
    /// Whether the user who is shown it is one of them.
    pub mine: bool,
}

/// A stored message as clients see it, pushed (`type` 2 or 4) and in history.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MessageFrame<'a> {
    /// 2 private, 4 group.
    #[serde(rename = "type")]
    #[schemars(extend("enum" = [kind::PRIVATE, kind::GROUP]))]
    pub kind: i64,
    /// The message's id.
    pub id: i64,
    /// Its place in the conversation's log.
    pub seq: Seq,
    /// The conversation's key.
    pub conversation: &'a str,
    /// The sender's id for it.
    pub msg_id: &'a str,
    /// The sender's username.
    pub from: &'a str,
    /// The recipient's username, in a private conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<&'a str>,
    /// The group, in a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_id: Option<GroupId>,
    /// The text; empty when recalled.
    pub content: &'a str,
    /// When it was committed, milliseconds since the Unix epoch.
    pub created_at: i64,
    /// Present and true when recalled.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    pub recalled: bool,
    /// When it was last edited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<i64>,
    /// The message that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Quote<'a>>,
    /// Whom it mentions, by username; `@all` is everybody.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub mentions: Vec<&'a str>,
    /// The username of who said it first, where it was forwarded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwarded_from: Option<&'a str>,
    /// The file that it brings; gone when recalled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<File>,
    /// What people reacted, in history. What is pushed has none: the `reacted` entries behind it say it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub reactions: Vec<Reaction<'a>>,
}

impl MessageFrame<'_> {
    /// The frame's text.
    pub fn encode(&self) -> String {
        encode(self)
    }
}

/// The frame type of messages of a conversation.
pub fn message_kind(key: ConversationKey) -> i64 {
    match key {
        ConversationKey::Direct(..) => kind::PRIVATE,
        ConversationKey::Group(_) => kind::GROUP,
    }
}
