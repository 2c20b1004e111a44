//! A frame of the server.

use std::ops::Deref;

use serde_json::Value;

/// A frame, what it says and how it was written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Frame {
    said: Value,
    text: Option<String>,
}

impl Frame {
    /// Reads a frame. One that is no JSON says nothing.
    pub(super) fn read(text: &str) -> Self {
        Self {
            said: serde_json::from_str(text).unwrap_or_default(),
            text: Some(text.to_owned()),
        }
    }

    /// As it was written.
    pub(super) fn text(&self) -> String {
        let text = self.text.as_ref();
        text.cloned().unwrap_or_else(|| self.said.to_string())
    }
}

impl From<Value> for Frame {
    fn from(said: Value) -> Self {
        Self { said, text: None }
    }
}

impl Deref for Frame {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.said
    }
}
