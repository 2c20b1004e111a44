//! The list of endpoints, except those that a module of its own answers (`ws`, `ai`).

use lingxi_domain::limits::SMALL_BODY_BYTES;
use lingxi_http::{Endpoint, body_limit};
use lingxi_im::Im;
use utoipa_axum::routes;

use super::{contacts, groups, messages, users};

/// Every REST endpoint.
pub(crate) fn endpoints() -> Vec<Endpoint<Im>> {
    vec![
        body_limit(routes!(users::register::register), SMALL_BODY_BYTES),
        body_limit(routes!(users::login::login), SMALL_BODY_BYTES),
        routes!(users::me::me),
        routes!(users::search::search),
        routes!(users::logout::logout),
        routes!(contacts::list::list),
        routes!(contacts::add::add),
        routes!(contacts::delete::delete),
        routes!(groups::create::create),
        routes!(groups::mygroups::mygroups),
        routes!(groups::search::search),
        routes!(groups::info::info),
        routes!(groups::members::members),
        routes!(groups::join::join),
        routes!(groups::leave::leave),
        routes!(groups::invite::invite),
        routes!(groups::kick::kick),
        routes!(messages::conversations::conversations),
        routes!(messages::history::history),
        routes!(messages::read::read),
        routes!(messages::recall::recall),
    ]
}
