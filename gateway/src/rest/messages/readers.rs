//! `GET /api/v1/message/readers`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Positive, Query};
use lingxi_im::{Im, Reader};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which message.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    #[param(value_type = i64, minimum = 1)]
    id: Positive,
}

/// Somebody who has read it.
#[derive(Serialize, ToSchema)]
#[schema(as = MessageReader)]
pub(crate) struct HasRead {
    id: i64,
    username: String,
    nickname: String,
    avatar: String,
}

impl From<Reader> for HasRead {
    fn from(reader: Reader) -> Self {
        Self {
            id: reader.id,
            username: reader.username,
            nickname: reader.nickname,
            avatar: reader.avatar,
        }
    }
}

/// Who has read a message, its sender left out.
#[derive(Serialize, ToSchema)]
#[schema(as = MessageReaders)]
pub(crate) struct Readers {
    readers: Vec<HasRead>,
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
        readers: found.into_iter().map(HasRead::from).collect(),
        has_more: false,
    }))
}
