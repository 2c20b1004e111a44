//! `PUT /api/v1/user/profile`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Json};
use lingxi_im::{Im, ProfileChange};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::rest::shapes::Me;

/// What is to be changed; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[schema(as = UserProfileRequest)]
pub(crate) struct Change {
    /// The name to show; an empty one is the username.
    #[schema(example = "小明")]
    nickname: Option<String>,
    /// The address of a picture, `http` or `https`; an empty one is none.
    #[schema(example = "https://example.org/me.png")]
    avatar: Option<String>,
    /// A line about oneself; may be empty.
    signature: Option<String>,
}

/// Changes what the caller's account shows.
#[utoipa::path(
    put, path = "/api/v1/user/profile", tag = "user", request_body = Change, security(("bearer" = [])),
    responses((status = 200, body = Me), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody))
)]
pub(crate) async fn profile(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(body): Json<Change>,
) -> ApiResult<Me> {
    let change = ProfileChange {
        nickname: body.nickname,
        avatar: body.avatar,
        signature: body.signature,
    };
    let changed = im.accounts().change_profile(&who, &change).await?;
    Ok(axum::Json(changed.into()))
}
