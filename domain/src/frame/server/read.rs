//! Somebody has read a conversation.

use schemars::JsonSchema;
use serde::Serialize;

use super::list::encode;
use crate::Seq;
use crate::frame::kind;

/// A read receipt for the other side, and for the reader's own devices.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Read<'a> {
    #[serde(rename = "type")]
    #[schemars(extend("const" = kind::SYSTEM))]
    kind: i64,
    #[schemars(extend("const" = "read"))]
    event: &'static str,
    /// The conversation's key.
    conversation: &'a str,
    /// The reader's username.
    from: &'a str,
    /// Read up to here.
    seq: Seq,
}

/// A read receipt for the other side, and for the reader's own devices.
pub fn read(conversation: &str, from: &str, seq: Seq) -> String {
    encode(&Read {
        kind: kind::SYSTEM,
        event: "read",
        conversation,
        from,
        seq,
    })
}
