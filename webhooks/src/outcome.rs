//! What came of one attempt.

use std::error::Error as _;
use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// The most that is kept of what went wrong, in characters.
const KEPT: usize = 300;

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server took it, with this status.
    Delivered(u16),
    /// The server wants no more: 410.
    Gone,
    /// Anything else.
    Failed(Failure),
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The answer's status, if there was one.
    pub status: Option<u16>,
    /// In short, for operators; nothing of the answer's body.
    pub error: String,
    /// How long the server wants to be left alone.
    pub retry_after: Option<Duration>,
}

impl Failure {
    pub(crate) fn new(error: impl Into<String>) -> Self {
        Self {
            status: None,
            error: cut(&error.into()),
            retry_after: None,
        }
    }
}

impl Outcome {
    /// Of an answer.
    pub(crate) fn of(status: StatusCode, headers: &HeaderMap) -> Self {
        if status.is_success() {
            return Self::Delivered(status.as_u16());
        }
        if status == StatusCode::GONE {
            return Self::Gone;
        }
        let error = match status.is_redirection() {
            true => format!(
                "the server answered {}; redirects are not followed",
                status.as_u16()
            ),
            false => format!("the server answered {}", status.as_u16()),
        };
        Self::Failed(Failure {
            status: Some(status.as_u16()),
            retry_after: retry_after(headers),
            ..Failure::new(error)
        })
    }

    /// Of a request that got no answer.
    pub(crate) fn of_error(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::Failed(Failure::new("the server did not answer in time"));
        }
        // What it says without the URL, which may have a secret in it, down to its cause.
        let error = error.without_url();
        let mut said = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            said = format!("{said}: {cause}");
            source = cause.source();
        }
        Self::Failed(Failure::new(said))
    }

    /// For the metric.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Delivered(_) => "delivered",
            Self::Gone => "gone",
            Self::Failed(_) => "failed",
        }
    }
}

/// `Retry-After`, as seconds or as a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    date.duration_since(SystemTime::now()).ok()
}

/// One line of at most [`KEPT`] characters.
fn cut(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(KEPT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_asked_for_in_seconds_or_until_a_date() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(of("120"), Some(Duration::from_secs(120)));
        let soon = SystemTime::now() + Duration::from_secs(90);
        let date = of(&httpdate::fmt_http_date(soon)).unwrap();
        assert!((85..=90).contains(&date.as_secs()), "{date:?}");
        for nothing in ["soon", "-1", "Sun, 06 Nov 1994 08:49:37 GMT"] {
            assert_eq!(of(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn what_went_wrong_is_one_short_line() {
        let failure = Failure::new(format!("a\nb{}", "x".repeat(1_000)));
        assert!(failure.error.starts_with("a bx"));
        assert_eq!(failure.error.chars().count(), KEPT);
    }
}
