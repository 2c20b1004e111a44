//! Accounts, and what each keeps about others.

mod blocks;
mod changes;
mod contacts;
mod known_networks;
mod settings;
mod users;

pub use blocks::Blocked;
pub use changes::ProfileChange;
pub use contacts::Contact;
pub use users::{NewUser, User};
