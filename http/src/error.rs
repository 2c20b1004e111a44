//! Failures as clients see them: a status and `{"error","message"}`.

use std::borrow::Cow;
use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lingxi_domain::ErrorCode;
use serde::Serialize;
use utoipa::ToSchema;

/// The body of every failure.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error)]
pub struct ErrorBody {
    /// A stable code; never reworded.
    #[schema(example = "invalid_request")]
    error: &'static str,
    /// One sentence that says what to do.
    #[schema(example = "username: use at most 32 characters.")]
    message: Cow<'static, str>,
}

/// A failed request. Causes were logged where they arose; none is in here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    code: ErrorCode,
    message: Cow<'static, str>,
    retry_after: Option<Duration>,
}

/// What handlers answer.
pub type ApiResult<T> = Result<axum::Json<T>, ApiError>;

impl ApiError {
    /// A failure with a sentence of its own.
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            retry_after: None,
        }
    }

    /// 400 `invalid_request`; the message begins with the field's name.
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidRequest, message)
    }

    /// Says when to try again. A 429 or 503 without this says one second.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// Whole seconds for `Retry-After`, rounded up, where the status has that header.
    fn seconds(&self) -> Option<u64> {
        let asks = matches!(self.code.status(), 429 | 503);
        let wait = self
            .retry_after
            .or(asks.then_some(Duration::from_secs(1)))?;
        Some(wait.as_millis().div_ceil(1000).clamp(1, 86_400) as u64)
    }
}

impl From<ErrorCode> for ApiError {
    fn from(code: ErrorCode) -> Self {
        Self::new(code, code.message())
    }
}

impl From<lingxi_im::Error> for ApiError {
    fn from(error: lingxi_im::Error) -> Self {
        Self {
            code: error.code(),
            retry_after: error.retry_after(),
            message: error.message().to_owned().into(),
        }
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        let text = rejection.body_text();
        let said = text
            .strip_prefix("Failed to deserialize query string: ")
            .unwrap_or(&text);
        Self::invalid(format!("{}.", said.trim_end_matches('.')))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let seconds = self.seconds();
        let body = ErrorBody {
            error: self.code.as_str(),
            message: self.message,
        };
        let mut response = (status, axum::Json(body)).into_response();
        if let Some(seconds) = seconds {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_to_come_back_is_said_in_whole_seconds() {
        let header = |error: ApiError| {
            let response = error.into_response();
            let value = response.headers().get(header::RETRY_AFTER);
            value.map(|value| value.to_str().unwrap().to_owned())
        };
        let limited = || ApiError::from(ErrorCode::RateLimited);
        assert_eq!(header(limited()).as_deref(), Some("1"));
        let later = limited().retry_after(Duration::from_millis(2001));
        assert_eq!(header(later).as_deref(), Some("3"));
        let now = limited().retry_after(Duration::ZERO);
        assert_eq!(header(now).as_deref(), Some("1"));
        assert_eq!(header(ErrorCode::Unavailable.into()).as_deref(), Some("1"));
        assert_eq!(header(ErrorCode::NotFound.into()), None);
    }
}
