//! `GET /api/admin/report/list`.

use axum::extract::State;
use lingxi_http::{ApiResult, ErrorBody, Operator, Positive, Query};
use lingxi_im::{Im, Report};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which of them.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// Only those that are `open`, `handled` or `dismissed`.
    state: Option<Handling>,
    /// At most 200; 50 when there is none.
    #[param(value_type = Option<i64>, minimum = 1)]
    limit: Option<Positive>,
    /// The last `id` of the page before.
    #[param(value_type = Option<i64>, minimum = 1)]
    before: Option<Positive>,
}

/// What has become of a report.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AdminReportState)]
pub(crate) enum Handling {
    /// It waits for an operator.
    Open,
    /// Something was done.
    Handled,
    /// There was nothing to do.
    Dismissed,
}

impl Handling {
    fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Handled => "handled",
            Self::Dismissed => "dismissed",
        }
    }
}

/// Reports, the newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminReportList)]
pub(crate) struct Reports {
    reports: Vec<Row>,
    has_more: bool,
    /// How many there are of that state.
    total: i64,
}

/// A report.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminReport)]
pub(crate) struct Row {
    id: i64,
    message_id: i64,
    /// The conversation's key.
    #[schema(example = "g:42")]
    conversation: String,
    /// Who reported it, by username.
    reporter: String,
    /// Who wrote the message, by username.
    author: String,
    /// What the message said when it was reported.
    content: String,
    reason: String,
    #[schema(example = "open")]
    state: String,
    created_at: i64,
}

impl From<Report> for Row {
    fn from(report: Report) -> Self {
        Self {
            id: report.id,
            message_id: report.message_id,
            conversation: report.conversation,
            reporter: report.reporter,
            author: report.author,
            content: report.content,
            reason: report.reason,
            state: report.state,
            created_at: report.created_at,
        }
    }
}

/// What users have reported.
#[utoipa::path(
    get, path = "/api/admin/report/list", tag = "admin", params(Page), security(("bearer" = [])),
    responses(
        (status = 200, body = Reports), (status = 400, body = ErrorBody), (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody)
    )
)]
pub(crate) async fn list(
    State(im): State<Im>,
    Operator(_who): Operator,
    Query(page): Query<Page>,
) -> ApiResult<Reports> {
    let state = page.state.map(Handling::as_str);
    let before = page.before.map(|Positive(id)| id);
    let limit = page.limit.map(|Positive(limit)| limit);
    let (found, total) = im.reports().page(state, before, limit).await?;
    Ok(axum::Json(Reports {
        has_more: found.has_more,
        total,
        reports: found.items.into_iter().map(Row::from).collect(),
    }))
}
