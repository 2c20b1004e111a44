//! What changed in a conversation.

use schemars::JsonSchema;
use serde::Serialize;

use super::changes::Changes;
use super::list::encode;
use crate::frame::kind;
use crate::{GroupId, Seq};

/// The events that are entries of a conversation's log.
const EVENTS: &[&str] = &[
    "recalled",
    "edited",
    "group_joined",
    "group_invited",
    "group_left",
    "group_kicked",
    "group_updated",
    "group_dismissed",
    "reacted",
    "pinned",
    "unpinned",
];

/// An entry of a conversation's log that is not a message: recalls, edits, membership, what changed about a group.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct EventFrame<'a> {
    /// Always 5.
    #[serde(rename = "type")]
    #[schemars(extend("const" = kind::SYSTEM))]
    pub kind: i64,
    /// `recalled`, `group_joined`, …
    #[schemars(extend("enum" = EVENTS))]
    pub event: &'a str,
    /// The conversation's key.
    pub conversation: &'a str,
    /// The group, in a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_id: Option<GroupId>,
    /// Its place in the conversation's log.
    pub seq: Seq,
    /// The entry's id.
    pub id: i64,
    /// Who did it.
    pub from: &'a str,
    /// Whom it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<&'a str>,
    /// Which entry it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_seq: Option<Seq>,
    /// Which message it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_id: Option<i64>,
    /// The text that an `edited` message has now; left out where not everybody may see it, or nobody any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<&'a str>,
    /// With what somebody `reacted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emoji: Option<&'a str>,
    /// Whether they do from then on, or no longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<bool>,
    /// How many do then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<i64>,
    /// What a `group_updated` changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
    /// When, milliseconds since the Unix epoch.
    pub created_at: i64,
}

impl EventFrame<'_> {
    /// The frame's text.
    pub fn encode(&self) -> String {
        encode(self)
    }
}
