//! `POST /api/v1/group/invite_link`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Json, Positive};
use lingxi_im::{Im, InviteLink, NewLink};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where the link leads, and how long.
#[derive(Deserialize, ToSchema)]
#[schema(as = GroupInviteLinkRequest)]
pub(crate) struct New {
    #[schema(value_type = i64, minimum = 1)]
    group_id: Positive,
    /// Seconds from now, at most a year; for ever when nothing is said.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 31622400, example = 86400)]
    expires_in: Option<Positive>,
    /// How many may join by it; any number when nothing is said.
    #[schema(value_type = Option<i64>, minimum = 1)]
    max_uses: Option<Positive>,
}

/// A link into a group.
#[derive(Serialize, ToSchema)]
#[schema(as = GroupInviteLink)]
pub(crate) struct Link {
    /// What `group/join` takes.
    #[schema(example = "8f14e45fceea467ab1dd0f6f6e8c2c35")]
    code: String,
    group_id: i64,
    /// When it stops working, milliseconds since the Unix epoch; absent where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_uses: Option<i64>,
}

impl From<InviteLink> for Link {
    fn from(link: InviteLink) -> Self {
        Self {
            code: link.code,
            group_id: link.group_id,
            expires_at: link.expires_at,
            max_uses: link.max_uses,
        }
    }
}

/// Makes a link by which one joins; for those who may invite.
#[utoipa::path(
    post, path = "/api/v1/group/invite_link", tag = "group", request_body = New, security(("bearer" = [])),
    responses(
        (status = 200, body = Link), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not_member, forbidden"),
        (status = 404, body = ErrorBody, description = "group_not_found"),
        (status = 409, body = ErrorBody, description = "too_many_links")
    )
)]
pub(crate) async fn invite_link(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<New>,
) -> ApiResult<Link> {
    let number = |value: Option<Positive>| value.map(|Positive(value)| value);
    let new = NewLink {
        expires_in: number(body.expires_in),
        max_uses: number(body.max_uses),
    };
    let groups = im.groups();
    let link = groups.make_link(&who.actor(), body.group_id.0, new).await?;
    Ok(axum::Json(link.into()))
}
