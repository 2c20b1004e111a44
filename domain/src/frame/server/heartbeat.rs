//! The server's life sign.

use schemars::JsonSchema;
use serde::Serialize;

use super::list::encode;
use crate::frame::kind;

/// Sent after silence. Whatever the client sends, a Pong too, is an answer.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Heartbeat {
    #[serde(rename = "type")]
    #[schemars(extend("const" = kind::HEARTBEAT))]
    kind: i64,
    #[schemars(extend("const" = "ping"))]
    msg_id: &'static str,
}

/// The server's life sign after silence.
pub fn ping() -> String {
    encode(&Heartbeat {
        kind: kind::HEARTBEAT,
        msg_id: "ping",
    })
}
