//! Names and texts that people choose: prepared, checked and compared by Unicode's standards.
//!
//! Usernames follow UsernameCaseMapped and passwords OpaqueString (RFC 8265), nicknames and group names Nickname
//! (RFC 8266); look-alikes are found by the skeletons of UTS 39. What is wider or narrower than the standards stands in
//! docs/adr/0011-names.md. Every function that prepares is idempotent: what it returned, it returns again.
//!
//! Start with [`Username`] and [`display_name`]; [`fold`] is the form in which names are searched.

pub(crate) mod characters;
mod context;
mod display_name;
mod file_name;
mod keyword;
mod lookalike;
mod marks;
mod password;
mod reserved;
mod spaces;
mod text;
mod username;

#[cfg(test)]
mod tests;

pub use display_name::display_name;
pub use file_name::file_name;
pub use keyword::{MAX_PART_CHARS, fold, keyword, matched, parts};
pub use lookalike::{confusable, skeleton, skeletons};
pub use password::{password, password_forms};
pub use text::{flat, line, text};
pub use username::{Username, UsernameKeys, username_key, username_keys};
