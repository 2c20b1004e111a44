//! A connection has to go.

use schemars::JsonSchema;
use serde::Serialize;

use super::list::encode;
use crate::frame::kind;

/// Sent before a connection is closed because a newer one took its place or its token stopped working.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Kicked<'a> {
    #[serde(rename = "type")]
    #[schemars(extend("const" = kind::SYSTEM))]
    kind: i64,
    #[schemars(extend("const" = "kicked"))]
    event: &'static str,
    /// For people.
    reason: &'a str,
}

/// Sent before a connection is closed because a newer one took its place or its token stopped working.
pub fn kicked(reason: &str) -> String {
    encode(&Kicked {
        kind: kind::SYSTEM,
        event: "kicked",
        reason,
    })
}
