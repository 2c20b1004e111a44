//! `GET /api/v1/group/members`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Query};
use lingxi_im::Im;
use serde::Serialize;
use utoipa::ToSchema;

use crate::rest::shapes::{ByUsername, Member, WhichGroup};

/// A group's members, the owner first, then by when they joined.
#[derive(Serialize, ToSchema)]
#[schema(as = GroupMembers)]
pub(crate) struct Members {
    members: Vec<Member>,
    /// Whether there are more after the last one.
    has_more: bool,
}

/// A group's members; only for members.
#[utoipa::path(
    get, path = "/api/v1/group/members", tag = "group", params(WhichGroup, ByUsername), security(("bearer" = [])),
    responses(
        (status = 200, body = Members), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not_member"),
        (status = 404, body = ErrorBody, description = "group_not_found")
    )
)]
pub(crate) async fn members(
    State(im): State<Im>,
    Auth(who): Auth,
    Query(query): Query<WhichGroup>,
    Query(page): Query<ByUsername>,
) -> ApiResult<Members> {
    let (groups, page) = (im.groups(), page.by_username());
    let found = groups.members_page(who.user_id, query.group_id.0, &page);
    let found = found.await?;
    Ok(axum::Json(Members {
        has_more: found.has_more,
        members: found.items.into_iter().map(Member::from).collect(),
    }))
}
