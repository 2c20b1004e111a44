//! Who is asking.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use lingxi_domain::ErrorCode;
use lingxi_im::{Identity, Im};

use crate::ApiError;
use crate::bearer::bearer;

/// State that knows what users can do.
pub trait HasIm {
    /// What users can do.
    fn im(&self) -> &Im;
}

impl HasIm for Im {
    fn im(&self) -> &Im {
        self
    }
}

impl<T: HasIm> HasIm for Arc<T> {
    fn im(&self) -> &Im {
        T::im(self)
    }
}

/// What the limits found out of the request's bearer token, in its extensions, so that it is not asked twice.
#[derive(Clone)]
pub(crate) struct Asker(pub(crate) Result<Identity, ApiError>);

/// Whose valid token came with the request; without one it is 401 `unauthorized`. Name it before the body, so that
/// nothing of a stranger's body is read.
pub struct Auth(pub Identity);

impl<S: HasIm + Send + Sync> FromRequestParts<S> for Auth {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        if let Some(Asker(known)) = parts.extensions.get() {
            return known.clone().map(Self);
        }
        let token = bearer(&parts.headers).ok_or(ErrorCode::Unauthorized)?;
        Ok(Self(state.im().accounts().authenticate(token).await?))
    }
}
