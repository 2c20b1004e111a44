//! Who is there, of those whom a client watches.

use schemars::JsonSchema;
use serde::Serialize;

use super::list::encode;
use crate::frame::kind;

/// Who is there: of all whom the client watches when it has just said whom, then of those for whom it has changed.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(super) struct Presence<'a> {
    #[serde(rename = "type")]
    #[schemars(extend("const" = kind::PRESENCE))]
    kind: i64,
    users: &'a [Seen<'a>],
}

/// A user who is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Seen<'a> {
    /// The account's name; of somebody who cannot be seen the name as the client wrote it.
    pub username: &'a str,
    /// Whether the user has an open connection anywhere. Of somebody who cannot be seen it is false.
    pub online: bool,
}

/// Who is there.
pub fn presence(users: &[Seen<'_>]) -> String {
    encode(&Presence {
        kind: kind::PRESENCE,
        users,
    })
}
