//! `GET /api/v1/group/requests`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Query};
use lingxi_im::Im;
use serde::Serialize;
use utoipa::ToSchema;

use crate::rest::shapes::{ByUsername, Person, WhichGroup};

/// Who waits to be let in, longest first.
#[derive(Serialize, ToSchema)]
#[schema(as = GroupJoinRequests)]
pub(crate) struct Requests {
    requests: Vec<Person>,
    /// Whether there are more after the last one.
    has_more: bool,
}

/// Who waits to be let into a group; for its owner and administrators.
#[utoipa::path(
    get, path = "/api/v1/group/requests", tag = "group", params(WhichGroup, ByUsername), security(("bearer" = [])),
    responses(
        (status = 200, body = Requests), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not_member, forbidden"),
        (status = 404, body = ErrorBody, description = "group_not_found")
    )
)]
pub(crate) async fn requests(
    State(im): State<Im>,
    Auth(who): Auth,
    Query(query): Query<WhichGroup>,
    Query(page): Query<ByUsername>,
) -> ApiResult<Requests> {
    let (groups, page) = (im.groups(), page.by_username());
    let found = groups.requests_page(who.user_id, query.group_id.0, &page);
    let found = found.await?;
    Ok(axum::Json(Requests {
        has_more: found.has_more,
        requests: found.items.into_iter().map(Person::from).collect(),
    }))
}
