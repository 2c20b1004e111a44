//! A node goes away.

use schemars::JsonSchema;
use serde::Serialize;

use super::list::encode;
use crate::frame::kind;

/// Sent before a draining node closes a connection.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Drain {
    #[serde(rename = "type")]
    #[schemars(extend("const" = kind::SYSTEM))]
    kind: i64,
    #[schemars(extend("const" = "drain"))]
    event: &'static str,
    /// When to come back: a different time for each client.
    reconnect_in_ms: u64,
}

/// Sent before a draining node closes a connection.
pub fn drain(reconnect_in_ms: u64) -> String {
    encode(&Drain {
        kind: kind::SYSTEM,
        event: "drain",
        reconnect_in_ms,
    })
}
