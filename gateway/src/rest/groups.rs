//! Groups.

use axum::extract::State;
use lingxi_im::{Im, NewGroup};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Done;
use super::users::Search;
use crate::error::{ApiResult, ErrorBody};
use crate::extract::{Auth, Json, Positive, Query};

/// A group to be made.
#[derive(Deserialize, ToSchema)]
pub(super) struct Create {
    /// 1–64 characters.
    name: String,
    /// 2–5000; 200 when there is none.
    #[schema(minimum = 2, maximum = 5000)]
    max_count: Option<i64>,
    /// What members should know.
    announcement: Option<String>,
}

/// A group that was made.
#[derive(Serialize, ToSchema)]
pub(super) struct Created {
    id: i64,
    name: String,
    max_count: i64,
    /// The conversation's key.
    #[schema(example = "g:42")]
    conversation: String,
}

/// Makes a group; the caller is its owner.
#[utoipa::path(
    post, path = "/api/v1/group/create", tag = "group", request_body = Create, security(("bearer" = [])),
    responses((status = 200, body = Created), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody))
)]
pub(super) async fn create(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<Create>,
) -> ApiResult<Created> {
    let new = NewGroup {
        name: body.name,
        max_count: body.max_count,
        announcement: body.announcement,
    };
    let made = im.groups().create(&who.actor(), &new).await?;
    Ok(axum::Json(Created {
        id: made.id,
        name: made.name,
        max_count: made.max_count,
        conversation: made.conversation,
    }))
}

/// A group.
#[derive(Serialize, ToSchema)]
pub(super) struct Group {
    id: i64,
    name: String,
    /// The owner's username.
    owner: String,
    announcement: String,
    max_count: i64,
    member_count: i64,
    /// The caller's role, `owner`, `admin` or `member`; absent when the caller is not in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    /// The conversation's key.
    #[schema(example = "g:42")]
    conversation: String,
    created_at: i64,
}

impl From<lingxi_im::Group> for Group {
    fn from(g: lingxi_im::Group) -> Self {
        Self {
            id: g.id,
            name: g.name,
            owner: g.owner,
            announcement: g.announcement,
            max_count: g.max_count,
            member_count: g.member_count,
            role: g.role,
            conversation: g.conversation,
            created_at: g.created_at,
        }
    }
}

/// Some groups.
#[derive(Serialize, ToSchema)]
pub(super) struct Groups {
    groups: Vec<Group>,
}

/// Groups that were found.
#[derive(Serialize, ToSchema)]
pub(super) struct FoundGroups {
    groups: Vec<Group>,
    /// Whether there are more after the last one.
    has_more: bool,
}

impl From<Vec<lingxi_im::Group>> for Groups {
    fn from(found: Vec<lingxi_im::Group>) -> Self {
        Self {
            groups: found.into_iter().map(Group::from).collect(),
        }
    }
}

/// The groups that the caller is in.
#[utoipa::path(
    get, path = "/api/v1/group/mygroups", tag = "group", security(("bearer" = [])),
    responses((status = 200, body = Groups), (status = 401, body = ErrorBody))
)]
pub(super) async fn mine(State(im): State<Im>, Auth(who): Auth) -> ApiResult<Groups> {
    Ok(axum::Json(im.groups().mine(who.user_id).await?.into()))
}

/// Finds groups by a part of their name, or by their id.
#[utoipa::path(
    get, path = "/api/v1/group/search", tag = "group", params(Search), security(("bearer" = [])),
    responses((status = 200, body = FoundGroups), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody))
)]
pub(super) async fn search(
    State(im): State<Im>,
    Auth(who): Auth,
    Query(query): Query<Search>,
) -> ApiResult<FoundGroups> {
    let found = im
        .groups()
        .search_page(who.user_id, query.keyword(), query.after(), query.limit())
        .await?;
    Ok(axum::Json(FoundGroups {
        groups: found.rows.into_iter().map(Group::from).collect(),
        has_more: found.has_more,
    }))
}

/// Which group.
#[derive(Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    #[param(value_type = i64, minimum = 1)]
    #[schema(value_type = i64, minimum = 1)]
    group_id: Positive,
}

/// One group; anybody may look.
#[utoipa::path(
    get, path = "/api/v1/group/info", tag = "group", params(Which), security(("bearer" = [])),
    responses(
        (status = 200, body = Group), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody, description = "group_not_found")
    )
)]
pub(super) async fn info(
    State(im): State<Im>,
    Auth(who): Auth,
    Query(query): Query<Which>,
) -> ApiResult<Group> {
    Ok(axum::Json(
        im.groups()
            .info(who.user_id, query.group_id.0)
            .await?
            .into(),
    ))
}

/// A member of a group.
#[derive(Serialize, ToSchema)]
pub(super) struct Member {
    id: i64,
    username: String,
    nickname: String,
    avatar: String,
    /// `owner`, `admin` or `member`.
    role: &'static str,
    joined_at: i64,
}

/// A group's members, the owner first, then by when they joined.
#[derive(Serialize, ToSchema)]
pub(super) struct Members {
    members: Vec<Member>,
}

/// A group's members; only for members.
#[utoipa::path(
    get, path = "/api/v1/group/members", tag = "group", params(Which), security(("bearer" = [])),
    responses(
        (status = 200, body = Members), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not_member"),
        (status = 404, body = ErrorBody, description = "group_not_found")
    )
)]
pub(super) async fn members(
    State(im): State<Im>,
    Auth(who): Auth,
    Query(query): Query<Which>,
) -> ApiResult<Members> {
    let found = im.groups().members(who.user_id, query.group_id.0).await?;
    let members = found.into_iter().map(|m| Member {
        id: m.id,
        username: m.username,
        nickname: m.nickname,
        avatar: m.avatar,
        role: m.role,
        joined_at: m.joined_at,
    });
    Ok(axum::Json(Members {
        members: members.collect(),
    }))
}

/// The caller is in.
#[derive(Serialize, ToSchema)]
pub(super) struct Joined {
    #[schema(example = "group joined")]
    message: &'static str,
    /// The conversation's key.
    #[schema(example = "g:42")]
    conversation: String,
}

/// Joins a group.
#[utoipa::path(
    post, path = "/api/v1/group/join", tag = "group", request_body = Which, security(("bearer" = [])),
    responses(
        (status = 200, body = Joined), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody, description = "group_not_found"),
        (status = 409, body = ErrorBody, description = "already_member, group_full")
    )
)]
pub(super) async fn join(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<Which>,
) -> ApiResult<Joined> {
    let change = im.groups().join(&who.actor(), body.group_id.0).await?;
    Ok(axum::Json(Joined {
        message: "group joined",
        conversation: change.conversation,
    }))
}

/// Leaves a group; its owner cannot.
#[utoipa::path(
    post, path = "/api/v1/group/leave", tag = "group", request_body = Which, security(("bearer" = [])),
    responses(
        (status = 200, body = Done), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not_member, forbidden"),
        (status = 404, body = ErrorBody, description = "group_not_found")
    )
)]
pub(super) async fn leave(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<Which>,
) -> ApiResult<Done> {
    im.groups().leave(&who.actor(), body.group_id.0).await?;
    Ok(Done::json("group left"))
}

/// Which group, and whom.
#[derive(Deserialize, ToSchema)]
pub(super) struct Target {
    #[schema(value_type = i64, minimum = 1)]
    group_id: Positive,
    #[schema(example = "bob")]
    target_username: String,
}

/// Brings somebody in; any member may.
#[utoipa::path(
    post, path = "/api/v1/group/invite", tag = "group", request_body = Target, security(("bearer" = [])),
    responses(
        (status = 200, body = Done), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not_member"),
        (status = 404, body = ErrorBody, description = "group_not_found, user_not_found"),
        (status = 409, body = ErrorBody, description = "already_member, group_full")
    )
)]
pub(super) async fn invite(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<Target>,
) -> ApiResult<Done> {
    im.groups()
        .invite(&who.actor(), body.group_id.0, &body.target_username)
        .await?;
    Ok(Done::json("member invited"))
}

/// Removes somebody of a lower role; for owners and administrators.
#[utoipa::path(
    post, path = "/api/v1/group/kick", tag = "group", request_body = Target, security(("bearer" = [])),
    responses(
        (status = 200, body = Done), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not_member, forbidden"),
        (status = 404, body = ErrorBody, description = "group_not_found, user_not_found")
    )
)]
pub(super) async fn kick(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<Target>,
) -> ApiResult<Done> {
    im.groups()
        .kick(&who.actor(), body.group_id.0, &body.target_username)
        .await?;
    Ok(Done::json("member kicked"))
}
