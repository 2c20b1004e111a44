//! Not everything was pushed.

use schemars::JsonSchema;
use serde::Serialize;

use super::list::encode;
use crate::Seq;
use crate::frame::kind;

/// Entries were left out: the client pulls them from where it stands.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct GapFrame<'a> {
    #[serde(rename = "type")]
    #[schemars(extend("const" = kind::SYSTEM))]
    kind: i64,
    #[schemars(extend("const" = "gap"))]
    event: &'static str,
    /// Those of which something is missing.
    conversations: &'a [Gap],
}

/// One conversation of a `gap`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Gap {
    /// The conversation's key.
    pub conversation: String,
    /// Entries behind this one were not pushed.
    pub after: Seq,
    /// The conversation's head.
    pub last_seq: Seq,
}

/// Pushes may have been missed: pull from the cursor.
pub fn gap(conversations: &[Gap]) -> String {
    encode(&GapFrame {
        kind: kind::SYSTEM,
        event: "gap",
        conversations,
    })
}
