//! The operators' endpoints, a file each. What each takes of a role is in `lingxi_domain::operations`.

mod bots;
mod list;
mod login;
mod reports;

pub(crate) use list::list;
