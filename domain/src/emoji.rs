//! What one reacts with.

use crate::limits;
use crate::validate::{Invalid, invalid};

/// The one emoji that a text is, in the form that Unicode recommends: what looks the same is the same.
///
/// # Errors
/// [`Invalid`] for anything else.
pub fn emoji(text: &str) -> Result<&'static str, Invalid> {
    match emojis::get(text) {
        Some(known) if known.as_str().len() <= limits::MAX_EMOJI_BYTES => Ok(known.as_str()),
        _ => invalid("emoji: give one emoji, such as 👍."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_emoji_is_one_whatever_it_is_made_of() {
        for (text, is) in [
            ("👍", "👍"),
            ("👍🏽", "👍🏽"),
            ("❤", "❤️"),
            ("❤️", "❤️"),
            ("🇨🇳", "🇨🇳"),
            ("👩‍💻", "👩‍💻"),
            ("1️⃣", "1️⃣"),
        ] {
            assert_eq!(emoji(text), Ok(is), "{text}");
        }
        for text in [
            "",
            " ",
            "a",
            "1",
            "好",
            "👍👍",
            "👍 ",
            " 👍",
            "👍a",
            "+1",
            ":thumbsup:",
            "\u{200d}",
            "\u{fe0f}",
            "<b>",
            "🇨",
            "👨‍👩‍👧‍👦👨‍👩‍👧‍👦",
            // One, of 35 bytes.
            "👩🏻‍❤️‍💋‍👩🏼",
        ] {
            assert!(emoji(text).is_err(), "{text:?}");
        }
    }
}
