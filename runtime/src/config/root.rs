//! What a process composes of its components' sections.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Error;

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
}
