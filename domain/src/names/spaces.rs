//! Spaces between words.

use super::characters::is_space;

/// Every space is one U+0020, and none is at either end.
pub(super) fn spaced(text: &str) -> String {
    let words = text.split(is_space).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}
