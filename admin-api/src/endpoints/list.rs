//! The list of endpoints.

use lingxi_domain::limits::SMALL_BODY_BYTES;
use lingxi_http::{Endpoint, body_limit};
use lingxi_im::Im;
use utoipa_axum::routes;

use super::login;

/// Every endpoint of the operators' API.
pub(crate) fn list() -> Vec<Endpoint<Im>> {
    vec![body_limit(routes!(login::login), SMALL_BODY_BYTES)]
}
