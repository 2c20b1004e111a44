//! `POST /api/v1/group/create`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Json};
use lingxi_im::{Im, NewGroup};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A group to be made.
#[derive(Deserialize, ToSchema)]
#[schema(as = GroupCreateRequest)]
pub(crate) struct Create {
    /// 1–64 characters.
    #[schema(example = "Climbers")]
    name: String,
    /// 2–5000; 200 when there is none.
    #[schema(minimum = 2, maximum = 5000)]
    max_count: Option<i64>,
    /// What members should know.
    announcement: Option<String>,
}

/// A group that was made.
#[derive(Serialize, ToSchema)]
#[schema(as = GroupCreated)]
pub(crate) struct Created {
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
pub(crate) async fn create(
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
