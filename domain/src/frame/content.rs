//! What the text of a message may hold.

use crate::{ErrorCode, limits};

/// Why a text was refused, with what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// `invalid_request` or `too_large`.
    pub code: ErrorCode,
    /// One sentence for the user.
    pub message: &'static str,
}

/// Checks the text of a message, which may be empty where the message has a file. It is measured as it goes out, escaped, so
/// that nobody is pushed more than was counted.
pub fn check(content: &str, has_file: bool) -> Result<(), Refused> {
    let refuse = |code, message| Err(Refused { code, message });
    if content.is_empty() && !has_file {
        return refuse(
            ErrorCode::InvalidRequest,
            "content: an empty message cannot be sent.",
        );
    }
    if encoded_len(content) > limits::MAX_CONTENT_BYTES {
        return refuse(
            ErrorCode::TooLarge,
            "content: a message holds at most 16 KiB, as JSON.",
        );
    }
    if content.chars().any(is_refused) {
        return refuse(
            ErrorCode::InvalidRequest,
            "content: of control characters only tab and line feed can be used.",
        );
    }
    Ok(())
}

fn is_refused(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n')
}

/// The bytes of a text as this system writes it into JSON, without the quotes around it.
pub fn encoded_len(text: &str) -> usize {
    let extra = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\t' | b'\r' | 0x08 | 0x0c => 1,
        0..0x20 => 5,
        _ => 0,
    };
    text.len() + text.bytes().map(extra).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content: &str) -> Result<(), Refused> {
        super::check(content, false)
    }

    #[test]
    fn only_a_message_with_a_file_may_say_nothing() {
        assert_eq!(check("").unwrap_err().code, ErrorCode::InvalidRequest);
        assert_eq!(super::check("", true), Ok(()));
        assert!(super::check("a\u{7}", true).is_err());
    }

    #[test]
    fn a_text_is_measured_as_it_is_encoded() {
        let all: String = (0..0x110_000u32)
            .step_by(7)
            .filter_map(char::from_u32)
            .collect();
        let ascii: String = (0..0x80u8).map(char::from).collect();
        for text in [
            "",
            "hi",
            "\"\\\n\t\r\u{8}\u{c}\u{0}\u{1f}\u{7f}",
            &ascii,
            &all,
        ] {
            let encoded = serde_json::to_string(text).unwrap();
            assert_eq!(encoded_len(text), encoded.len() - 2);
        }
    }

    #[test]
    fn no_more_goes_out_than_was_counted() {
        let half = limits::MAX_CONTENT_BYTES / 2;
        for unit in ["\"", "\\", "\n", "\t"] {
            assert_eq!(check(&unit.repeat(half)), Ok(()));
            let refused = check(&unit.repeat(half + 1)).unwrap_err();
            assert_eq!(refused.code, ErrorCode::TooLarge, "{unit:?}");
        }
        assert_eq!(check(&"x".repeat(half * 2)), Ok(()));
        assert_eq!(
            check("\u{1}".repeat(half).as_str()).unwrap_err().code,
            ErrorCode::TooLarge
        );
    }

    #[test]
    fn control_characters_but_tab_and_line_feed_are_refused() {
        for c in ('\0'..='\u{ff}').filter(|c| c.is_control()) {
            let good = matches!(c, '\t' | '\n');
            assert_eq!(check(&format!("a{c}b")).is_ok(), good, "{c:?}");
        }
        for good in ["हिन्दी", "👩‍👩‍👧", "a\u{200d}b", "\u{ad}x", "\u{2028}"]
        {
            assert_eq!(check(good), Ok(()));
        }
    }
}
