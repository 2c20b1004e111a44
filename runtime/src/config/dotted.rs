//! Dotted keys: `ai.providers.0.name`.

use serde_json::Value as Json;

/// The value at a dotted key.
pub(super) fn look_up<'a>(tree: &'a Json, key: &str) -> Option<&'a Json> {
    key.split('.').try_fold(tree, |node, segment| match node {
        Json::Array(list) => list.get(segment.parse::<usize>().ok()?),
        other => other.get(segment),
    })
}

/// The key of what is called `key` below `path`.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}
