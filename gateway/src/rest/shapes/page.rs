//! Which part of a list.

use lingxi_domain::limits;
use lingxi_http::Positive;
use lingxi_im::Page;
use serde::Deserialize;
use utoipa::IntoParams;

/// A page of a list that goes by ids.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ById {
    /// The id of the last one of the page before.
    #[param(value_type = Option<i64>, minimum = 1)]
    after: Option<Positive>,
    /// At most 200, which is also what comes when there is none.
    #[param(value_type = Option<i64>, minimum = 1)]
    limit: Option<Positive>,
}

/// A page of a list of people.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ByUsername {
    /// The username of the last one of the page before.
    after: Option<String>,
    /// At most 200, which is also what comes when there is none.
    #[param(value_type = Option<i64>, minimum = 1)]
    limit: Option<Positive>,
}

impl ById {
    pub(crate) fn by_id(&self) -> Page<i64> {
        Page {
            after: self.after.map(|Positive(after)| after),
            limit: Some(rows(self.limit)),
        }
    }
}

impl ByUsername {
    pub(crate) fn by_username(&self) -> Page<String> {
        Page {
            after: self.after.clone(),
            limit: Some(rows(self.limit)),
        }
    }
}

/// These lists are short for most people, and clients that know no pages are to get all of them.
fn rows(limit: Option<Positive>) -> i64 {
    limit.map_or(limits::MAX_PAGE, |Positive(limit)| limit)
}
