//! Accounts, and what each keeps about others.

mod contacts;
mod users;

pub use contacts::Contact;
pub use users::{NewUser, User};
