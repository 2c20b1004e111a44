//! Where values came from.

use std::collections::HashMap;

use super::Error;

/// Which source a key was last set by, for messages.
#[derive(Default)]
pub(super) struct Origins {
    pub(super) file: String,
    pub(super) by_key: HashMap<String, String>,
}

impl Origins {
    pub(super) fn of(&self, key: &str) -> &str {
        self.by_key.get(key).map_or(&self.file, String::as_str)
    }

    /// Says by which variable or flag a refused value was set.
    pub(super) fn named(&self, error: Error) -> Error {
        match (error, &self.by_key) {
            (
                Error::Value {
                    key,
                    value,
                    accepted,
                },
                by_key,
            ) if by_key.contains_key(&key) => Error::Value {
                accepted: format!("{accepted} (from {})", self.of(&key)),
                key,
                value,
            },
            (other, _) => other,
        }
    }
}
