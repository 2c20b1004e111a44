//! What the path names.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use lingxi_domain::ErrorCode;
use serde::de::DeserializeOwned;

use crate::ApiError;

/// The path's parameters. One that cannot be read names nothing: 404 `not_found`.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(_) => Err(ErrorCode::NotFound.into()),
        }
    }
}
