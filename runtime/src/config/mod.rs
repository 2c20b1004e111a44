//! Loading a configuration: documented defaults, a file, the environment, flags; the later wins.
//!
//! What can be set is not known here. A component owns its section, a struct with its documented defaults and its checks;
//! whoever puts a process together composes the sections into a [`Root`] and loads that.

pub mod check;
mod error;
mod files;
mod known;
mod load;
mod masked;
mod secret;
mod text;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use error::Error;
pub use load::{Sources, load, load_from, section};
pub use masked::masked_toml;
pub use secret::Secret;
pub use text::word;

/// Everything that can be set in a process.
///
/// Its optional keys serialize as null, so that the serialized form names every key there is.
pub trait Root: Serialize + DeserializeOwned {
    /// Keys whose values are prose: they alone may hold line breaks and tabs.
    const PROSE: &'static [&'static str] = &[];

    /// The documented defaults as TOML, in the order in which they are merged.
    fn defaults() -> Vec<&'static str>;

    /// The same with one element in each list, so that the keys of its elements are known too.
    #[must_use]
    fn sample(self) -> Self;

    /// Refuses the first value that is out of range, naming what is accepted.
    ///
    /// # Errors
    /// [`Error::Value`], whose key tells the loader where the value came from.
    fn check(&self) -> Result<(), Error>;

    /// Every dotted key, with `0` for the number of a list's element.
    ///
    /// # Errors
    /// When the defaults do not load.
    fn keys() -> Result<Vec<String>, Error> {
        Ok(known::Keys::of::<Self>()?.leaves())
    }
}

#[cfg(test)]
mod tests;
