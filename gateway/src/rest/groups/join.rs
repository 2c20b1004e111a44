//! `POST /api/v1/group/join`.

use axum::extract::State;
use lingxi_http::{ApiError, ApiResult, Auth, ErrorBody, Json, Positive};
use lingxi_im::Im;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Which group, by its id or by a link.
#[derive(Deserialize, ToSchema)]
#[schema(as = GroupJoinRequest)]
pub(crate) struct Join {
    #[schema(value_type = Option<i64>, minimum = 1, example = 42)]
    group_id: Option<Positive>,
    /// The code of a link, in place of the id.
    code: Option<String>,
}

/// The caller is in, or waits to be let in.
#[derive(Serialize, ToSchema)]
#[schema(as = GroupJoined)]
pub(crate) struct Joined {
    #[schema(example = "group joined")]
    message: &'static str,
    group_id: i64,
    /// The conversation's key.
    #[schema(example = "g:42")]
    conversation: String,
    /// `joined`, or `requested` where the owner or an administrator is to let the caller in.
    #[schema(example = "joined")]
    state: &'static str,
}

/// Joins a group, or asks to be let in where the group wants that.
#[utoipa::path(
    post, path = "/api/v1/group/join", tag = "group", request_body = Join, security(("bearer" = [])),
    responses(
        (status = 200, body = Joined), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "forbidden"),
        (status = 404, body = ErrorBody, description = "group_not_found, invite_link_not_found"),
        (status = 409, body = ErrorBody, description = "already_member, group_full, too_many_groups, too_many_requests")
    )
)]
pub(crate) async fn join(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<Join>,
) -> ApiResult<Joined> {
    let (groups, actor) = (im.groups(), who.actor());
    let joining = match (body.group_id, body.code) {
        (Some(Positive(id)), None) => groups.join(&actor, id).await?,
        (None, Some(code)) => groups.join_by_link(&actor, &code).await?,
        _ => {
            let message = "Name the group: give a group_id, or the code of a link.";
            return Err(ApiError::invalid(message));
        }
    };
    let (message, state) = match joining.seq {
        Some(_) => ("group joined", "joined"),
        None => ("join requested", "requested"),
    };
    Ok(axum::Json(Joined {
        message,
        group_id: joining.group_id,
        conversation: joining.conversation,
        state,
    }))
}
