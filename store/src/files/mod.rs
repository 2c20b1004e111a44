//! Files that were uploaded, and which messages bring them.

mod file;
mod sweep;
mod uses;

pub use file::{NewFile, StoredFile, Thumbnail};
pub use sweep::Claimed;
