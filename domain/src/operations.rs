//! Who of the operators may do what: one table, by method and path. What is not in it, nobody may do.

use crate::role::AccountRole;

/// One operation of the operators' API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The method, in capitals.
    pub method: &'static str,
    /// The path, as its route has it.
    pub path: &'static str,
    /// The least role that may do it.
    pub least: AccountRole,
}

/// Every operation but logging in. A test holds it against the list of routes.
pub const OPERATIONS: &[Operation] = &[
    of("GET", "/api/admin/report/list", AccountRole::Viewer),
    of("POST", "/api/admin/bot/create", AccountRole::Admin),
    of("GET", "/api/admin/bot/list", AccountRole::Viewer),
    of("POST", "/api/admin/bot/token", AccountRole::Admin),
    of("POST", "/api/admin/bot/revoke", AccountRole::Admin),
    of("PUT", "/api/admin/bot/webhook", AccountRole::Admin),
    of("DELETE", "/api/admin/bot/webhook", AccountRole::Admin),
];

const fn of(method: &'static str, path: &'static str, least: AccountRole) -> Operation {
    Operation {
        method,
        path,
        least,
    }
}

/// The least role that may do this; `None` for what is no operation.
pub fn least_role(method: &str, path: &str) -> Option<AccountRole> {
    let mut all = OPERATIONS.iter();
    let found = all.find(|operation| operation.method == method && operation.path == path);
    found.map(|operation| operation.least)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_for_operators_and_there_once() {
        for (at, one) in OPERATIONS.iter().enumerate() {
            assert!(one.least.is_operator(), "{one:?}");
            let same = |other: &&Operation| (other.method, other.path) == (one.method, one.path);
            assert!(
                !OPERATIONS[..at].iter().any(|other| same(&other)),
                "{one:?}"
            );
        }
        assert_eq!(least_role("GET", "/api/admin/nothing"), None);
    }
}
