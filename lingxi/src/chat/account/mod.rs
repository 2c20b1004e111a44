//! Whom one is on a server.

mod enter;
mod password;
mod remembered;

pub(super) use enter::{Account, enter};
