//! The configuration with its secrets masked, for `check-config` and for messages.

use serde_json::Value as Json;

use super::Config;

impl Config {
    /// The effective configuration as TOML; secrets, and passwords inside URLs, are `***`. Keys that are unset are
    /// left out.
    #[must_use]
    pub fn masked_toml(&self) -> String {
        let mut tree = serde_json::to_value(self).unwrap_or(Json::Null);
        clean(&mut tree, "");
        toml::to_string(&tree).unwrap_or_default()
    }
}

/// A value for a message: hidden altogether when its key names a secret, else with URL passwords masked.
pub(super) fn value(key: &str, text: &str) -> String {
    let last = key.rsplit('.').next().unwrap_or(key);
    if ["password", "secret", "token", "api_key"]
        .iter()
        .any(|word| last.ends_with(word))
    {
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
