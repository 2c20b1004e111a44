//! Bots.

pub(super) mod create;
pub(super) mod delete_webhook;
pub(super) mod list;
pub(super) mod revoke;
pub(super) mod set_webhook;
mod shapes;
pub(super) mod token;
