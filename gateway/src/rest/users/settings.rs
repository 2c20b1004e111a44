//! `PUT /api/v1/user/settings`.

use axum::extract::State;
use lingxi_domain::invitations::WhoMayInvite;
use lingxi_http::{ApiResult, Auth, ErrorBody, Json};
use lingxi_im::Im;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What users choose for themselves.
#[derive(Deserialize, Serialize, ToSchema)]
#[schema(as = UserSettings)]
pub(crate) struct Settings {
    /// Who may take the user into groups: `everyone` (the default), `contacts` or `nobody`.
    #[schema(value_type = String, example = "contacts")]
    who_may_invite: WhoMayInvite,
}

/// Chooses.
#[utoipa::path(
    put, path = "/api/v1/user/settings", tag = "user", request_body = Settings, security(("bearer" = [])),
    responses((status = 200, body = Settings), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody))
)]
pub(crate) async fn settings(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<Settings>,
) -> ApiResult<Settings> {
    let settings = im.settings();
    settings
        .set_who_may_invite(who.user_id, body.who_may_invite)
        .await?;
    Ok(axum::Json(body))
}
