//! `POST /api/v1/group/role`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Json, Positive};
use lingxi_im::Im;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::rest::shapes::Member;

/// Who is to be what.
#[derive(Deserialize, ToSchema)]
#[schema(as = GroupRoleRequest)]
pub(crate) struct Role {
    #[schema(value_type = i64, minimum = 1)]
    group_id: Positive,
    #[schema(example = "bob")]
    target_username: String,
    /// `admin` or `member`.
    #[schema(value_type = String, example = "admin")]
    role: Given,
}

/// What the owner makes of a member.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Given {
    Admin,
    Member,
}

/// Makes a member an administrator, or no longer one; for the owner.
#[utoipa::path(
    post, path = "/api/v1/group/role", tag = "group", request_body = Role, security(("bearer" = [])),
    responses(
        (status = 200, body = Member), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not_member, forbidden"),
        (status = 404, body = ErrorBody, description = "group_not_found, user_not_found")
    )
)]
pub(crate) async fn role(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<Role>,
) -> ApiResult<Member> {
    let whom = (body.group_id.0, body.target_username.as_str());
    let admin = body.role == Given::Admin;
    let member = im.groups().set_role(&who.actor(), whom, admin).await?;
    Ok(axum::Json(member.into()))
}
