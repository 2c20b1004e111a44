//! `GET /api/v1/group/pins`.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use lingxi_http::{ApiError, Auth, ErrorBody, Query};
use lingxi_im::Im;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::rest::shapes::{ById, Message, WhichGroup, raw};

/// What a group keeps in sight, the newest pin first.
#[derive(Serialize, ToSchema)]
#[schema(as = GroupPins)]
pub(crate) struct Pins<'a> {
    #[schema(value_type = Vec<Message>)]
    pins: Vec<&'a RawValue>,
    /// Whether there are more after the last one.
    has_more: bool,
}

/// What a group keeps in sight; for its members.
#[utoipa::path(
    get, path = "/api/v1/group/pins", tag = "group", params(WhichGroup, ById), security(("bearer" = [])),
    responses(
        (status = 200, body = Pins<'static>), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not_member"),
        (status = 404, body = ErrorBody, description = "group_not_found")
    )
)]
pub(crate) async fn pins(
    State(im): State<Im>,
    Auth(who): Auth,
    Query(query): Query<WhichGroup>,
    Query(page): Query<ById>,
) -> Result<Response, ApiError> {
    let (messages, page) = (im.messages(), page.by_id());
    let found = messages.pins_page(who.user_id, query.group_id.0, &page);
    let found = found.await?;
    let pins = found.messages.iter().map(|json| raw(json));
    let pins = Pins {
        pins: pins.collect::<Result<_, _>>()?,
        has_more: found.has_more,
    };
    Ok(axum::Json(pins).into_response())
}
