//! `PUT /api/v1/group/update`.

use axum::extract::State;
use lingxi_domain::policies::{InvitePolicy, JoinPolicy};
use lingxi_http::{ApiResult, Auth, ErrorBody, Json, Positive};
use lingxi_im::{GroupUpdate, Im};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::rest::shapes::Group;

/// What is to be changed; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = GroupUpdateRequest)]
pub(crate) struct Update {
    #[schema(value_type = i64, minimum = 1)]
    group_id: Positive,
    #[schema(example = "Go学习小组")]
    name: Option<String>,
    /// What members should know; an empty one is none.
    announcement: Option<String>,
    /// 2 to 5000, and no fewer than there are.
    #[schema(minimum = 2, maximum = 5000)]
    max_count: Option<i64>,
    /// How one joins: `open`, `approval` or `invite`.
    #[schema(value_type = Option<String>, example = "approval")]
    join_policy: Option<JoinPolicy>,
    /// Who invites: `members` or `admins`.
    #[schema(value_type = Option<String>, example = "admins")]
    invite_policy: Option<InvitePolicy>,
}

/// Changes what a group says of itself, and its rules; for its owner and administrators.
#[utoipa::path(
    put, path = "/api/v1/group/update", tag = "group", request_body = Update, security(("bearer" = [])),
    responses(
        (status = 200, body = Group), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not_member, forbidden"),
        (status = 404, body = ErrorBody, description = "group_not_found")
    )
)]
pub(crate) async fn update(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<Update>,
) -> ApiResult<Group> {
    let update = GroupUpdate {
        name: body.name,
        announcement: body.announcement,
        max_count: body.max_count,
        join_policy: body.join_policy,
        invite_policy: body.invite_policy,
    };
    let groups = im.groups();
    let group = groups
        .update(&who.actor(), body.group_id.0, &update)
        .await?;
    Ok(axum::Json(group.into()))
}
