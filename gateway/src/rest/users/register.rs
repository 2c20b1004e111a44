//! `POST /api/v1/user/register`.

use axum::extract::State;
use lingxi_http::{ApiResult, Client, ErrorBody, Json};
use lingxi_im::{Im, Registration};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::rest::shapes::Done;

/// Who wants an account.
#[derive(Deserialize, ToSchema)]
#[schema(as = UserRegisterRequest)]
pub(crate) struct Register {
    /// 1–32 letters and digits of any script, `_`, `-`, `.`; unique without regard to case.
    #[schema(example = "alice")]
    username: String,
    /// 6 characters to 72 bytes.
    password: String,
    /// Up to 64 characters; the username when there is none.
    nickname: Option<String>,
}

/// Makes an account.
#[utoipa::path(
    post, path = "/api/v1/user/register", tag = "user", request_body = Register,
    responses(
        (status = 200, body = Done),
        (status = 400, body = ErrorBody), (status = 409, body = ErrorBody, description = "username_taken"),
        (status = 429, body = ErrorBody)
    )
)]
pub(crate) async fn register(
    State(im): State<Im>,
    Client(client): Client,
    Json(body): Json<Register>,
) -> ApiResult<Done> {
    let new = Registration {
        username: body.username,
        password: body.password,
        nickname: body.nickname,
    };
    im.accounts().register(&new, client).await?;
    Ok(Done::json("register success"))
}
