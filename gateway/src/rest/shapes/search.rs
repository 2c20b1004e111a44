//! Searching.

use lingxi_domain::limits;
use lingxi_http::Positive;
use serde::Deserialize;
use utoipa::IntoParams;

/// What to search for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Search {
    /// A part of the name.
    keyword: String,
    /// At most 200; 50 when there is none.
    #[param(value_type = Option<i64>, minimum = 1)]
    limit: Option<Positive>,
    /// The id of the last one of the page before.
    #[param(value_type = Option<i64>, minimum = 1)]
    after: Option<Positive>,
}

impl Search {
    pub(crate) fn after(&self) -> Option<i64> {
        self.after.map(|Positive(after)| after)
    }

    pub(crate) fn keyword(&self) -> &str {
        &self.keyword
    }

    pub(crate) fn limit(&self) -> i64 {
        self.limit
            .map_or(limits::DEFAULT_PAGE, |Positive(limit)| limit)
    }
}
