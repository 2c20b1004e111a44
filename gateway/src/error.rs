//! Failures as REST clients see them: a status and `{"error","message"}`.

use std::borrow::Cow;
use std::time::Duration;

use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use lingxi_domain::ErrorCode;
use serde::Serialize;
use utoipa::ToSchema;

/// The body of every failure.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// A stable code; never reworded.
    #[schema(example = "invalid_request")]
    error: &'static str,
    /// One sentence that says what to do.
    #[schema(example = "username: use at most 32 characters.")]
    message: Cow<'static, str>,
}

/// A failed request. Causes were logged where they arose; none is in here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    code: ErrorCode,
    message: Cow<'static, str>,
    retry_after: Option<Duration>,
}

/// What handlers answer.
pub(crate) type ApiResult<T> = Result<axum::Json<T>, ApiError>;

impl ApiError {
    pub(crate) fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            retry_after: None,
        }
    }

    /// 400 `invalid_request`; the message begins with the field's name.
    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidRequest, message)
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
            retry_after: error.retry_after(),
            ..Self::new(error.code(), error.message().to_owned())
        }
    }
}

impl From<BytesRejection> for ApiError {
    fn from(rejection: BytesRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Self::new(ErrorCode::TooLarge, "Send a body of at most 1 MiB.")
            }
            _ => Self::invalid("The body did not arrive whole; send the request again."),
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
        let body = ErrorBody {
            error: self.code.as_str(),
            message: self.message,
        };
        let mut response = (status, axum::Json(body)).into_response();
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_secs().into();
            response.headers_mut().insert(RETRY_AFTER, seconds);
        }
        response
    }
}
