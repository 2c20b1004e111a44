//! Who is asking.

use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::request::Parts;
use lingxi_domain::ErrorCode;
use lingxi_domain::operations::least_role;
use lingxi_domain::role::AccountRole;
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

/// Where operators' tokens open what they open, and no others do.
const OPERATORS: &str = "/api/admin/";

/// Whose token this is, of the kind that the path asks for.
pub(crate) async fn authenticate(im: &Im, path: &str, token: &str) -> Result<Identity, ApiError> {
    let accounts = im.accounts();
    let known = match path.starts_with(OPERATORS) {
        true => accounts.authenticate_operator(token).await,
        false => accounts.authenticate(token).await,
    };
    Ok(known?)
}

async fn asker<S: HasIm>(parts: &Parts, state: &S) -> Result<Identity, ApiError> {
    if let Some(Asker(known)) = parts.extensions.get() {
        return known.clone();
    }
    let token = bearer(&parts.headers).ok_or(ErrorCode::Unauthorized)?;
    authenticate(state.im(), parts.uri.path(), token).await
}

/// Whose valid token came with the request; without one it is 401 `unauthorized`. Name it before the body, so that
/// nothing of a stranger's body is read.
pub struct Auth(pub Identity);

impl<S: HasIm + Send + Sync> FromRequestParts<S> for Auth {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        asker(parts, state).await.map(Self)
    }
}

/// An operator whose role may do what the route is, by the table of [`lingxi_domain::operations`]: 401 `unauthorized` without an
/// operator's token, 403 `forbidden` with too low a role. Name it before the body.
pub struct Operator(pub Identity);

impl<S: HasIm + Send + Sync> FromRequestParts<S> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let who = asker(parts, state).await?;
        let route = parts.extensions.get::<MatchedPath>();
        let path = route.map_or("", MatchedPath::as_str);
        let least = least_role(parts.method.as_str(), path);
        if who.role.is_operator() && least.is_some_and(|least| who.role >= least) {
            return Ok(Self(who));
        }
        let least = least.map_or("nobody", AccountRole::as_str);
        let message = format!(
            "Your role, {}, may not do this; it takes {least}.",
            who.role.as_str()
        );
        Err(ApiError::new(ErrorCode::Forbidden, message))
    }
}
