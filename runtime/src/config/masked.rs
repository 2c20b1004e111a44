//! A configuration with its secrets masked, for `check-config` and for messages.

use serde::Serialize;
use serde_json::Value as Json;

/// The effective configuration as TOML; secrets, and passwords inside URLs, are `***`. Keys that are unset are left out.
#[must_use]
pub fn masked_toml(config: &impl Serialize) -> String {
    let mut tree = serde_json::to_value(config).unwrap_or(Json::Null);
    clean(&mut tree, "");
    toml::to_string(&tree).unwrap_or_default()
}

/// Whether a dotted key names a secret.
pub(super) fn is_secret(key: &str) -> bool {
    let last = key.rsplit('.').next().unwrap_or(key);
    ["password", "secret", "token", "api_key"]
        .iter()
        .any(|word| last.ends_with(word))
}

/// A value for a message: hidden altogether when its key names a secret, else with URL passwords masked.
pub(super) fn value(key: &str, text: &str) -> String {
    if is_secret(key) {
        return "***".to_owned();
    }
    url(text)
}

/// Hides what stands before the last `@` of a URL, or of several with commas between, with a scheme or without: all of it
/// after the first colon, or all of it when there is none (a token). Passwords with any character in them are covered.
fn url(text: &str) -> String {
    let Some((before, host)) = text.rsplit_once('@') else {
        return text.to_owned();
    };
    let in_scheme = |c: char| c.is_ascii_alphanumeric() || "+.-\"".contains(c);
    let (scheme, user) = match before.split_once("://") {
        Some((scheme, user)) if scheme.chars().all(in_scheme) => (format!("{scheme}://"), user),
        _ => (String::new(), before),
    };
    match user.split_once(':') {
        Some((name, _)) => format!("{scheme}{name}:***@{host}"),
        None => format!("{scheme}***@{host}"),
    }
}

fn clean(node: &mut Json, key: &str) {
    match node {
        Json::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.iter_mut().for_each(|(key, value)| clean(value, key));
        }
        Json::Array(list) => list.iter_mut().for_each(|value| clean(value, key)),
        Json::String(text) => *text = value(key, text),
        _ => {}
    }
}
