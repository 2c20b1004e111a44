//! Words and characters that values may hold.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IntoDeserializer, value};
use serde_json::Value as Json;

use super::dotted::join;

/// Reads a word that is one of an enum's, with an error that lists them all: for `deserialize_with`.
///
/// # Errors
/// When it is none of them.
pub fn word<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let given = String::deserialize(deserializer)?;
    let words: value::StringDeserializer<value::Error> = given.into_deserializer();
    T::deserialize(words).map_err(D::Error::custom)
}

/// Files and shells put a line break behind what they hold: it is not part of a value.
pub(super) fn trimmed(value: &str) -> &str {
    value.trim_end_matches(['\r', '\n'])
}

/// A character that no value holds on purpose: it breaks headers, URLs and logins far from where it was written.
pub(super) struct Stranger {
    /// The dotted key.
    pub(super) key: String,
    /// Which character, in words.
    pub(super) what: String,
}

/// The first such character below `node`, leaving out the keys in `prose`.
pub(super) fn stranger(node: &Json, key: String, prose: &[&str]) -> Option<Stranger> {
    match node {
        Json::Object(map) => map
            .iter()
            .find_map(|(name, value)| stranger(value, join(&key, name), prose)),
        Json::Array(list) => list
            .iter()
            .enumerate()
            .find_map(|(n, value)| stranger(value, join(&key, &n.to_string()), prose)),
        Json::String(text) => {
            let allowed = |c: char| prose.contains(&key.as_str()) && "\r\n\t".contains(c);
            // What a Secret trims when it is read.
            let found = trimmed(text)
                .chars()
                .find(|&c| (c.is_control() || c == char::REPLACEMENT_CHARACTER) && !allowed(c))?;
            let what = match found {
                '\n' | '\r' => "a line break".to_owned(),
                char::REPLACEMENT_CHARACTER => "bytes that are not UTF-8".to_owned(),
                other => format!("the control character U+{:04X}", u32::from(other)),
            };
            Some(Stranger { key, what })
        }
        _ => None,
    }
}
