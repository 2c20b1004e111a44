//! Somebody is typing.

use schemars::JsonSchema;
use serde::Serialize;

use super::list::encode;
use crate::GroupId;
use crate::frame::kind;

/// Somebody is typing to the one who gets this, or in a group.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Typing<'a> {
    #[serde(rename = "type")]
    #[schemars(extend("const" = kind::TYPING))]
    kind: i64,
    /// Who types.
    from: &'a str,
    /// The group, in a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<GroupId>,
}

/// Somebody is typing.
pub fn typing(from: &str, group_id: Option<GroupId>) -> String {
    encode(&Typing {
        kind: kind::TYPING,
        from,
        group_id,
    })
}
