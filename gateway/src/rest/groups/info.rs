//! `GET /api/v1/group/info`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Query};
use lingxi_im::Im;

use crate::rest::shapes::{Group, WhichGroup};

/// One group; anybody may look.
#[utoipa::path(
    get, path = "/api/v1/group/info", tag = "group", params(WhichGroup), security(("bearer" = [])),
    responses(
        (status = 200, body = Group), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody, description = "group_not_found")
    )
)]
pub(crate) async fn info(
    State(im): State<Im>,
    Auth(who): Auth,
    Query(query): Query<WhichGroup>,
) -> ApiResult<Group> {
    Ok(axum::Json(
        im.groups()
            .info(who.user_id, query.group_id.0)
            .await?
            .into(),
    ))
}
