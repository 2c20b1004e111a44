//! Accounts, and what each keeps about others.

mod changes;
mod contacts;
mod known_networks;
mod settings;
mod users;

pub use changes::ProfileChange;
pub use contacts::Contact;
pub use users::{NewUser, User};
