//! `POST /api/v1/group/mute`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Json, Position, Positive};
use lingxi_im::Im;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::rest::shapes::Member;

/// Whom, and until when.
#[derive(Deserialize, ToSchema)]
#[schema(as = GroupMuteRequest)]
pub(crate) struct Mute {
    #[schema(value_type = i64, minimum = 1)]
    group_id: Positive,
    #[schema(example = "bob")]
    target_username: String,
    /// A time to come, in milliseconds since the Unix epoch; 0 lifts it.
    #[schema(value_type = i64, minimum = 0)]
    until: Position,
}

/// Mutes a member of a lower role until a time, or lifts that; for owners and administrators.
#[utoipa::path(
    post, path = "/api/v1/group/mute", tag = "group", request_body = Mute, security(("bearer" = [])),
    responses(
        (status = 200, body = Member), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not_member, forbidden"),
        (status = 404, body = ErrorBody, description = "group_not_found, user_not_found")
    )
)]
pub(crate) async fn mute(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<Mute>,
) -> ApiResult<Member> {
    let whom = (body.group_id.0, body.target_username.as_str());
    let groups = im.groups();
    let member = groups.mute(&who.actor(), whom, body.until.0).await?;
    Ok(axum::Json(member.into()))
}
