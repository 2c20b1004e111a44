//! The REST API. An endpoint is a file: what comes in, what goes out, its line of the documentation, the call of `im`. One
//! list, [`endpoints`], names them all; a new endpoint is a new file and a line there.

mod contacts;
mod groups;
mod home;
mod list;
mod messages;
mod shapes;
#[cfg(test)]
mod tests;
mod users;

pub(crate) use home::home;
pub(crate) use list::endpoints;
