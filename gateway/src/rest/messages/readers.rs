//! `GET /api/v1/message/readers`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Positive, Query};
use lingxi_im::Im;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::rest::shapes::Member;

/// Which message.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    #[param(value_type = i64, minimum = 1)]
    id: Positive,
}

/// Who has read a message, its sender left out.
#[derive(Serialize, ToSchema)]
#[schema(as = MessageReaders)]
pub(crate) struct Readers {
    readers: Vec<Member>,
    /// Always false: it is known in groups of up to 200 members only.
    has_more: bool,
}

/// Who of a group has read a message.
#[utoipa::path(
    get, path = "/api/v1/message/readers", tag = "message", params(Which), security(("bearer" = [])),
    responses(
        (status = 200, body = Readers), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not_member"),
        (status = 404, body = ErrorBody, description = "message_not_found")
    )
)]
pub(crate) async fn readers(
    State(im): State<Im>,
    Auth(who): Auth,
    Query(which): Query<Which>,
) -> ApiResult<Readers> {
    let found = im.messages().readers(who.user_id, which.id.0).await?;
    Ok(axum::Json(Readers {
        readers: found.into_iter().map(Member::from).collect(),
        has_more: false,
    }))
}
