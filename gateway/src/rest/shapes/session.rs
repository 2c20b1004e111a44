//! Sessions.

use lingxi_im::Login;
use serde::Serialize;
use utoipa::ToSchema;

use super::Me;

/// A new session.
#[derive(Serialize, ToSchema)]
#[schema(as = UserSession)]
pub(crate) struct Session {
    /// For `Authorization: Bearer`, and for `?token=` of the WebSocket.
    token: String,
    /// When it ends, milliseconds since the Unix epoch.
    expires_at: i64,
    user: Me,
}

impl From<Login> for Session {
    fn from(login: Login) -> Self {
        Self {
            token: login.token,
            expires_at: login.expires_at,
            user: login.user.into(),
        }
    }
}
