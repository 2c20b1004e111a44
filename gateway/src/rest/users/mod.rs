//! Accounts.

pub(super) mod login;
pub(super) mod logout;
pub(super) mod me;
pub(super) mod register;
pub(super) mod search;
