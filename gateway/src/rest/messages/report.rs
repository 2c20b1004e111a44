//! `POST /api/v1/message/report`.

use axum::extract::State;
use lingxi_http::{ApiResult, Auth, ErrorBody, Json, Positive};
use lingxi_im::Im;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::rest::shapes::Done;

/// Which message, and what is wrong with it.
#[derive(Deserialize, ToSchema)]
#[schema(as = MessageReportRequest)]
pub(crate) struct Report {
    #[schema(value_type = i64, minimum = 1, example = 7382904832_i64)]
    id: Positive,
    /// One line of at most 512 characters.
    #[schema(example = "insults")]
    reason: String,
}

/// Reports a message to the operators, with what it says now.
#[utoipa::path(
    post, path = "/api/v1/message/report", tag = "message", request_body = Report, security(("bearer" = [])),
    responses(
        (status = 200, body = Done), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 404, body = ErrorBody, description = "message_not_found"),
        (status = 409, body = ErrorBody, description = "too_many_reports")
    )
)]
pub(crate) async fn report(
    State(im): State<Im>,
    Auth(who): Auth,
    Json(report): Json<Report>,
) -> ApiResult<Done> {
    let Positive(id) = report.id;
    im.messages()
        .report(&who.actor(), id, &report.reason)
        .await?;
    Ok(Done::json("message reported"))
}
