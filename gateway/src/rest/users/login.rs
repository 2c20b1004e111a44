//! `POST /api/v1/user/login`.

use axum::extract::State;
use lingxi_http::{ApiResult, Client, ErrorBody, Json};
use lingxi_im::Im;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::rest::shapes::Session;

/// A name and its password.
#[derive(Deserialize, ToSchema)]
#[schema(as = UserLoginRequest)]
pub(crate) struct Credentials {
    #[schema(example = "alice")]
    username: String,
    password: String,
}

/// Logs in.
#[utoipa::path(
    post, path = "/api/v1/user/login", tag = "user", request_body = Credentials,
    responses(
        (status = 200, body = Session), (status = 400, body = ErrorBody),
        (status = 401, body = ErrorBody, description = "invalid_credentials"), (status = 429, body = ErrorBody)
    )
)]
pub(crate) async fn login(
    State(im): State<Im>,
    Client(client): Client,
    Json(body): Json<Credentials>,
) -> ApiResult<Session> {
    let login = im
        .accounts()
        .login(&body.username, &body.password, client)
        .await?;
    Ok(axum::Json(login.into()))
}
