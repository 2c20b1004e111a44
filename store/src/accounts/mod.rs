//! Accounts, and what each keeps about others.

mod acquaintance;
mod blocks;
mod changes;
mod contacts;
mod known_networks;
mod listed;
mod settings;
mod users;

pub use changes::ProfileChange;
pub use contacts::Contact;
pub use listed::ListedUser;
pub(crate) use listed::listed_user;
pub(crate) use users::insert_user;
pub use users::{NewUser, User};
