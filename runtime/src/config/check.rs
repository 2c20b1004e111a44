//! Ranges and shapes that the types alone do not say, for the checks of sections.

use std::fmt::Display;

use url::Url;

use super::{Error, masked};

/// Refuses `value` unless it `fits`.
///
/// # Errors
/// [`Error::Value`] with what is `accepted`; the value is masked where the key names a secret.
pub fn require(fits: bool, key: &str, value: &str, accepted: &str) -> Result<(), Error> {
    if fits {
        return Ok(());
    }
    Err(Error::Value {
        key: key.to_owned(),
        value: masked::value(key, &format!("{value:?}")),
        accepted: accepted.to_owned(),
    })
}

/// Refuses what is not from `least` to `most`.
///
/// # Errors
/// As [`require`].
pub fn within<T: PartialOrd + Display>(
    key: &str,
    value: T,
    least: T,
    most: T,
) -> Result<(), Error> {
    if value >= least && value <= most {
        return Ok(());
    }
    Err(Error::Value {
        key: key.to_owned(),
        value: value.to_string(),
        accepted: format!("expected {least} to {most}"),
    })
}

/// Refuses what is not `host:port`.
///
/// # Errors
/// As [`require`].
pub fn address(key: &str, value: &str) -> Result<(), Error> {
    let fits = value
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    require(
        fits,
        key,
        value,
        "expected host:port, as in 127.0.0.1:8080 or 0.0.0.0:8080",
    )
}

/// Refuses what is no URL of HTTP.
///
/// # Errors
/// As [`require`].
pub fn http_url(key: &str, value: &str) -> Result<(), Error> {
    let fits = Url::parse(value)
        .is_ok_and(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
    require(
        fits,
        key,
        value,
        "expected a URL that begins with http:// or https://",
    )
}
