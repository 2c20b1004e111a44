//! The list of endpoints.

use lingxi_domain::limits::SMALL_BODY_BYTES;
use lingxi_http::{Endpoint, body_limit};
use lingxi_im::Im;
use utoipa_axum::routes;

use super::{bots, login, reports};

/// Every endpoint of the operators' API.
pub(crate) fn list() -> Vec<Endpoint<Im>> {
    vec![
        body_limit(routes!(login::login), SMALL_BODY_BYTES),
        routes!(reports::list::list),
        routes!(bots::create::create),
        routes!(bots::list::list),
        routes!(bots::token::token),
        routes!(bots::revoke::revoke),
        routes!(bots::set_webhook::set_webhook),
        routes!(bots::delete_webhook::delete_webhook),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use lingxi_domain::operations::OPERATIONS;

    /// Who may do what is said of every route but the one that lets operators in, and of nothing else.
    #[test]
    fn the_policy_is_of_these_routes() {
        let mut routes = BTreeSet::new();
        for endpoint in super::list() {
            for (path, item) in &endpoint.1.paths {
                let methods = [
                    ("GET", &item.get),
                    ("POST", &item.post),
                    ("PUT", &item.put),
                    ("DELETE", &item.delete),
                    ("PATCH", &item.patch),
                ];
                let there = methods.into_iter().filter(|(_, of)| of.is_some());
                routes.extend(there.map(|(method, _)| (method.to_owned(), path.clone())));
            }
        }
        assert!(routes.remove(&("POST".to_owned(), "/api/admin/login".to_owned())));
        let named = OPERATIONS
            .iter()
            .map(|one| (one.method.to_owned(), one.path.to_owned()));
        assert_eq!(routes, named.collect());
    }
}
