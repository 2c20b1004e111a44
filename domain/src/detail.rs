//! What entries of a log say beside their text, as the store keeps it: a JSON object, by the kind of the entry. What changes
//! about groups is in [`crate::frame::server::Changes`].

use serde::{Deserialize, Serialize};

/// Of a reaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactionDetail {
    /// With what.
    pub emoji: String,
    /// Whether the user reacts so from then on, or no longer.
    pub on: bool,
    /// How many do then.
    pub count: i64,
}

/// Of an edit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditDetail {
    /// Whether everybody who sees the edit sees the message too, and so its text.
    pub open: bool,
}
