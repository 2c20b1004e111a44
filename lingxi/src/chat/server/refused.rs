//! A request that was not done.

use serde_json::Value;

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(in super::super) struct Refused {
    /// The server's stable code, or one of the client's own: `unreachable`, `usage`, `not_lingxi`.
    pub(in super::super) code: String,
    /// What to do, for people.
    pub(in super::super) message: String,
}

impl Refused {
    /// One of the client's own.
    pub(in super::super) fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
        }
    }

    /// What was typed is no such command.
    pub(in super::super) fn usage(message: impl Into<String>) -> Self {
        Self::new("usage", message)
    }

    /// Returns true if the same request may be taken a moment later.
    pub(in super::super) fn may_pass(&self) -> bool {
        let code = self.code.as_str();
        matches!(
            code,
            "unreachable" | "rate_limited" | "unavailable" | "internal" | "request_timeout"
        )
    }

    /// What a server answered that was no 200.
    pub(super) fn answered(server: &str, status: u16, body: &Value) -> Self {
        let (code, message) = (body["error"].as_str(), body["message"].as_str());
        match (code, message) {
            (Some("unauthorized"), Some(message)) => Self::new(
                "unauthorized",
                format!("{server} refused the token: {message}"),
            ),
            (Some(code), Some(message)) => Self::new(code, message),
            // A load balancer's own page, when nobody is behind it.
            _ if matches!(status, 502..=504) => Self::new(
                "unreachable",
                format!("{server} answered {status}; is the server running?"),
            ),
            _ => Self::new(
                "not_lingxi",
                format!("{server} answered {status}: is it a Lingxi server?"),
            ),
        }
    }
}
