//! The keys there are, read off the types themselves, so that they cannot drift.

use serde_json::Value as Json;

use super::dotted::join;
use super::origins::Origins;
use super::{Error, Root};

/// The tree of known keys; a list is described by its one sample element.
pub(super) struct Keys(Json);

impl Keys {
    /// The keys of a root with these defaults, whose optional ones are serialized as null.
    pub(super) fn of<C: Root>(defaults: C) -> Self {
        Self(serde_json::to_value(defaults.sample()).unwrap_or(Json::Null))
    }

    /// Whether the dotted key names a single value.
    pub(super) fn has(&self, key: &str) -> bool {
        self.find(key)
            .is_some_and(|known| !known.is_object() && !known.is_array())
    }

    /// Refuses the first key of `tree` that is not known.
    pub(super) fn check(&self, tree: &Json, origins: &Origins) -> Result<(), Error> {
        match stranger(&self.0, tree, String::new()) {
            None => Ok(()),
            Some(key) => Err(self.unknown(&key, origins.of(&key))),
        }
    }

    /// Refuses a dotted key that does not name a single value.
    pub(super) fn check_key(&self, key: &str, origin: &str) -> Result<(), Error> {
        match self.has(key) {
            true => Ok(()),
            false => Err(self.unknown(key, origin)),
        }
    }

    fn find(&self, key: &str) -> Option<&Json> {
        key.split('.')
            .try_fold(&self.0, |known, segment| match known {
                Json::Array(sample) => {
                    segment.parse::<u8>().ok()?;
                    sample.first()
                }
                other => other.get(segment),
            })
    }

    /// Every dotted key, with `0` for the number of a list's element.
    pub(super) fn leaves(&self) -> Vec<String> {
        let mut found = Vec::new();
        collect(&self.0, String::new(), &mut found);
        found
    }

    fn unknown(&self, key: &str, origin: &str) -> Error {
        let nearest = self
            .leaves()
            .into_iter()
            .max_by(|a, b| likeness(key, a).total_cmp(&likeness(key, b)))
            .unwrap_or_default();
        Error::UnknownKey {
            origin: origin.to_owned(),
            key: key.to_owned(),
            nearest,
        }
    }
}

/// How alike two dotted keys are: as wholes, or in their last parts (a key in the wrong section).
fn likeness(given: &str, known: &str) -> f64 {
    let last = |key: &str| {
        key.rsplit('.')
            .next()
            .map(str::to_owned)
            .unwrap_or_default()
    };
    let whole = strsim::normalized_damerau_levenshtein(given, known);
    let part = strsim::normalized_damerau_levenshtein(&last(given), &last(known));
    whole.max(part * 0.95)
}

fn stranger(known: &Json, given: &Json, path: String) -> Option<String> {
    match (known, given) {
        (Json::Object(known), Json::Object(given)) => given.iter().find_map(|(key, value)| {
            let path = join(&path, key);
            match known.get(key) {
                None => Some(path),
                Some(known) => stranger(known, value, path),
            }
        }),
        (Json::Array(known), Json::Array(given)) => given
            .iter()
            .enumerate()
            .find_map(|(n, value)| stranger(known.first()?, value, join(&path, &n.to_string()))),
        _ => None,
    }
}

fn collect(known: &Json, path: String, found: &mut Vec<String>) {
    match known {
        Json::Object(map) => {
            map.iter()
                .for_each(|(key, value)| collect(value, join(&path, key), found));
        }
        Json::Array(list) => {
            list.iter()
                .for_each(|value| collect(value, join(&path, "0"), found));
        }
        _ => found.push(path),
    }
}
