//! What can go wrong, as far as a user may know it.

use std::borrow::Cow;
use std::time::Duration;

use lingxi_domain::ErrorCode;
use lingxi_domain::validate::Invalid;

/// Results of what users do.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something was not done. Causes inside the store or the bus were logged when they became this; no text here names
/// them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Refused or failed, with a stable code and one sentence that says what to do.
    #[error("{message}")]
    Refused {
        /// The stable code.
        code: ErrorCode,
        /// One sentence for the user.
        message: Cow<'static, str>,
        /// How long to wait before it is tried again, where that is known.
        retry_after: Option<Duration>,
    },
    /// Another worker took the run over that the effect belongs to: nothing was done, and nothing may be done for it.
    #[error("another worker took the run over")]
    Fenced,
}

impl Error {
    /// A refusal with a sentence of its own.
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self::Refused {
            code,
            message: message.into(),
            retry_after: None,
        }
    }

    /// Too often or too much: `what` says of what. Not before `wait` has passed.
    pub(crate) fn limited(what: &str, wait: Duration) -> Self {
        let seconds = whole_seconds(wait);
        Self::Refused {
            code: ErrorCode::RateLimited,
            message: format!("{what}; try again in {seconds} s.").into(),
            retry_after: Some(Duration::from_secs(seconds)),
        }
    }

    /// How long to wait before the same is tried again, in whole seconds of at least one; `None` where it is not known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            Self::Fenced => None,
        }
    }

    /// The stable code; [`ErrorCode::Unavailable`] where a run was taken over.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Refused { code, .. } => *code,
            Self::Fenced => ErrorCode::Unavailable,
        }
    }

    /// One sentence for the user that says what to do.
    pub fn message(&self) -> &str {
        match self {
            Self::Refused { message, .. } => message,
            Self::Fenced => ErrorCode::Unavailable.message(),
        }
    }

    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidRequest, message)
    }
}

/// Rounded up, as `Retry-After` counts.
fn whole_seconds(wait: Duration) -> u64 {
    let begun = u64::from(wait.subsec_nanos() > 0);
    wait.as_secs().saturating_add(begun).max(1)
}

impl From<ErrorCode> for Error {
    fn from(code: ErrorCode) -> Self {
        Self::new(code, code.message())
    }
}

impl From<Invalid> for Error {
    fn from(Invalid(message): Invalid) -> Self {
        Self::invalid(message)
    }
}

impl From<lingxi_store::Error> for Error {
    /// Logs the cause: this is where it ends.
    fn from(error: lingxi_store::Error) -> Self {
        match error {
            lingxi_store::Error::Fenced => Self::Fenced,
            lingxi_store::Error::Unavailable(_) => {
                tracing::warn!(%error, "the store is not available");
                ErrorCode::Unavailable.into()
            }
            lingxi_store::Error::TimedOut(_) => {
                tracing::warn!(%error, "a read was given up");
                ErrorCode::Timeout.into()
            }
            error => {
                tracing::error!(%error, "the store failed");
                ErrorCode::Internal.into()
            }
        }
    }
}

/// Why one run of a transaction did nothing. What the store took back for reasons of others is run again before a user
/// hears of it ([`lingxi_store::Store::retried`]).
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    /// As the store says.
    #[error(transparent)]
    Store(#[from] lingxi_store::Error),
    /// What the user is told.
    #[error(transparent)]
    Told(#[from] Error),
}

impl From<ErrorCode> for Failed {
    fn from(code: ErrorCode) -> Self {
        Self::Told(code.into())
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Store(error) => error.into(),
            Failed::Told(error) => error,
        }
    }
}

impl lingxi_store::Failure for Failed {
    fn was_rolled_back(&self) -> bool {
        matches!(self, Self::Store(error) if error.was_rolled_back())
    }
}

impl From<lingxi_bus::Error> for Error {
    /// Logs the cause: this is where it ends.
    fn from(error: lingxi_bus::Error) -> Self {
        tracing::warn!(%error, "the bus is not available");
        ErrorCode::Unavailable.into()
    }
}
