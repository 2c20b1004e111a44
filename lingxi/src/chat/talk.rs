//! Whom one talks to.

use serde_json::{Value, json};

/// The other side of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Talk {
    /// A user.
    User(String),
    /// A group.
    Group(i64),
}

impl Talk {
    /// How a request names it.
    pub(super) fn query(&self) -> (&'static str, String) {
        match self {
            Self::User(name) => ("username", name.clone()),
            Self::Group(id) => ("group_id", id.to_string()),
        }
    }

    /// A new message's frame.
    pub(super) fn message(&self, fields: &Value) -> Value {
        let msg_id = uuid::Uuid::new_v4().to_string();
        let mut frame = match self {
            Self::User(name) => json!({"type": 2, "msg_id": msg_id, "to": name}),
            Self::Group(id) => json!({"type": 4, "msg_id": msg_id, "group_id": id}),
        };
        for (field, value) in fields.as_object().into_iter().flatten() {
            frame[field] = value.clone();
        }
        frame
    }
}

impl std::fmt::Display for Talk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(name) => f.write_str(name),
            Self::Group(id) => write!(f, "group {id}"),
        }
    }
}
