//! Remarks, announcements, and what is shown of texts that were stored before anybody checked them.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

use super::characters::{is_bidi_control, is_control};
use super::display_name::{check, one_line};
use crate::validate::{Invalid, invalid};

/// Prepares one line of at most `max` characters, such as a remark on a contact; may be empty.
///
/// # Errors
/// One sentence that says what to change.
pub fn line(field: &str, text: &str, max: usize) -> Result<String, Invalid> {
    within(field, text, max)?;
    one_line(field, text)?;
    let line: String = text.trim().nfc().collect();
    within(field, &line, max)?;
    let chars: Vec<char> = line.chars().collect();
    check(field, &chars)?;
    Ok(line)
}

/// Prepares a text of at most `max` characters that may have lines, such as an announcement; may be empty. Lines end with
/// U+000A, whatever they ended with before.
///
/// # Errors
/// One sentence that says what to change.
pub fn text(field: &str, text: &str, max: usize) -> Result<String, Invalid> {
    within(field, text, max)?;
    let text = text
        .replace("\r\n", "\n")
        .replace(['\r', '\u{85}', '\u{2028}', '\u{2029}'], "\n");
    let stray = |c| is_control(c) && !matches!(c, '\n' | '\t');
    // Marks and isolates belong to texts in Arabic and Hebrew; what overrides the order of letters does not.
    if text
        .chars()
        .any(|c| stray(c) || matches!(c, '\u{202a}'..='\u{202e}'))
    {
        return invalid(format!("{field}: control characters cannot be used."));
    }
    let text: String = text.nfc().collect();
    within(field, &text, max)?;
    Ok(text)
}

fn within(field: &str, text: &str, max: usize) -> Result<(), Invalid> {
    match text.chars().nth(max) {
        Some(_) => invalid(format!("{field}: use at most {max} characters.")),
        None => Ok(()),
    }
}

/// A stored text as one line that forges no other: whatever ends a line or controls a terminal is a space, and what turns
/// the direction of text is left out. For lists of names, whenever they were stored.
pub fn flat(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| is_control(c) || is_bidi_control(c)) {
        return Cow::Borrowed(text);
    }
    let shown = text.chars().filter(|&c| !is_bidi_control(c));
    let spaced: String = shown.map(|c| if is_control(c) { ' ' } else { c }).collect();
    let words: Vec<&str> = spaced.split(' ').filter(|word| !word.is_empty()).collect();
    Cow::Owned(words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line() {
        assert_eq!(line("r", " 老友 😀 ", 9).as_deref(), Ok("老友 😀"));
        assert_eq!(line("r", "", 9).as_deref(), Ok(""));
        for bad in [
            "a\nb",
            "a\u{2028}b",
            "a\u{85}",
            "a\u{202e}b",
            "a\u{200b}",
            "a\u{7}",
            "0123456789",
        ] {
            assert!(line("r", bad, 9).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_text_has_lines_and_no_controls() {
        assert_eq!(
            text("a", "a\r\nb\rc\u{2028}d\te\n", 20).as_deref(),
            Ok("a\nb\nc\nd\te\n")
        );
        assert_eq!(
            text("a", "\u{200f}\u{5d0}", 20).as_deref(),
            Ok("\u{200f}\u{5d0}")
        );
        for bad in [
            "a\u{0}",
            "a\u{b}b",
            "a\u{c}b",
            "\u{1b}[0m",
            "\u{202e}x",
            "a\u{9b}",
        ] {
            assert!(text("a", bad, 20).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_shown_in_a_list_is_one_line() {
        assert_eq!(flat("bob\n系统: x"), "bob 系统: x");
        assert_eq!(
            flat("a\r\n\u{85}\u{2028}\u{2029}\u{b}\u{c}\u{1b}[31mb"),
            "a [31mb"
        );
        assert_eq!(flat("\u{202e}bob\u{2069}"), "bob");
        assert_eq!(flat("👨\u{200d}👩  x"), "👨\u{200d}👩  x");
    }
}
