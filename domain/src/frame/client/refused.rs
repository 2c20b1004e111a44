//! Why a frame was not taken.

use std::borrow::Cow;

use crate::ErrorCode;
use crate::frame::content;

/// What the ACK `failed` of a frame says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The stable code.
    pub code: ErrorCode,
    /// What to do.
    pub message: Cow<'static, str>,
}

impl Refused {
    /// With a sentence of its own.
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        Self { code, message }
    }

    /// A frame whose shape, or a value in it, is wrong.
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidRequest, message)
    }
}

impl From<ErrorCode> for Refused {
    fn from(code: ErrorCode) -> Self {
        Self::new(code, code.message())
    }
}

impl From<content::Refused> for Refused {
    fn from(content::Refused { code, message }: content::Refused) -> Self {
        Self::new(code, message)
    }
}
