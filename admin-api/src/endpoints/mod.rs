//! The operators' endpoints, a file each.

mod list;
mod login;

pub(crate) use list::list;
