//! `GET /api/v1/user/info`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Query};
use lingxi_im::Im;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::rest::shapes::User;

/// Whose.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Whose {
    #[param(example = "bob")]
    username: String,
}

/// What others may see of somebody.
#[utoipa::path(
    get, path = "/api/v1/user/info", tag = "user", params(Whose), security(("bearer" = [])),
    responses(
        (status = 200, body = User), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody, description = "user_not_found")
    )
)]
pub(crate) async fn info(
    State(im): State<Im>,
    _who: Auth,
    Query(whose): Query<Whose>,
) -> ApiResult<User> {
    Ok(axum::Json(
        im.accounts().info(&whose.username).await?.into(),
    ))
}
