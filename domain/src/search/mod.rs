//! Searching messages: what of a text an index keeps, what a keyword asks of it, and where it stands in a text.
//!
//! An index never decides: it names messages that may fit, and [`Keyword::finds`] is asked of each, on its text as it is now.

mod characters;
mod fold;
mod keys;
mod keyword;
mod snippet;

pub use keys::{KEY_BITS, keys};
pub use keyword::Keyword;
pub use snippet::Snippet;
