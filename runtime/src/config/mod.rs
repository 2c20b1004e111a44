//! Loading a configuration: documented defaults, a file, the environment, flags; the later wins.
//!
//! What can be set is not known here. A component owns its section, a struct with its documented defaults and its checks;
//! whoever puts a process together composes the sections into a [`Root`] and loads that.

pub mod check;
mod dotted;
mod error;
mod files;
mod known;
mod load;
mod masked;
mod origins;
mod root;
mod secret;
mod text;

pub use error::Error;
pub use load::{Sources, keys, load, load_from, section};
pub use masked::masked_toml;
pub use root::Root;
pub use secret::Secret;
pub use text::word;

#[cfg(test)]
mod tests;
