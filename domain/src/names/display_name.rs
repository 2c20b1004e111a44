//! Nicknames and names of groups: the profile Nickname of RFC 8266, with emoji.

use unicode_normalization::UnicodeNormalization as _;

use super::characters::{
    Category, category, is_bidi_control, is_blank, is_control, is_emoji, is_emoji_presentation,
    is_ignorable, is_old_jamo, is_space, is_visible, is_written_as_one,
};
use super::context::{joins_letters, shapes};
use super::spaces::spaced;
use super::{marks, reserved};
use crate::limits::MAX_NAME_CHARS;
use crate::validate::{Invalid, invalid};

/// Characters that are looked at before a name is prepared.
const MAX_RAW_CHARS: usize = 8 * MAX_NAME_CHARS;

/// Prepares a name that people read: one line of 1–64 characters with something visible in it, which does not pose as
/// the system. Spaces around it are taken off and those within it are single. `field` is what the errors name.
///
/// # Errors
/// One sentence that says what to change.
pub fn display_name(field: &str, text: &str) -> Result<String, Invalid> {
    let long = || invalid(format!("{field}: use at most {MAX_NAME_CHARS} characters."));
    if text.chars().nth(MAX_RAW_CHARS).is_some() {
        return long();
    }
    one_line(field, text)?;
    let name = prepare(text);
    let chars: Vec<char> = name.chars().collect();
    if chars.len() > MAX_NAME_CHARS {
        return long();
    }
    if !chars.iter().any(|&c| is_visible(c)) {
        return invalid(format!("{field}: give at least one visible character."));
    }
    check(field, &chars)?;
    if reserved::poses_as_system(&name) {
        return invalid(format!(
            "{field}: this name looks like one of the system's own; choose another."
        ));
    }
    Ok(name)
}

/// Nothing that ends a line, and no other control.
pub(super) fn one_line(field: &str, text: &str) -> Result<(), Invalid> {
    if text.chars().any(is_control) {
        return invalid(format!(
            "{field}: use one line, without control characters."
        ));
    }
    Ok(())
}

/// What a line that people read may hold: FreeformClass of RFC 8264, and the invisible characters that emoji and scripts
/// need. Wider than the class: `·` between any words, as in Chinese names, and the lengthened letters of Arabic.
pub(super) fn check(field: &str, chars: &[char]) -> Result<(), Invalid> {
    for (at, &c) in chars.iter().enumerate() {
        if is_bidi_control(c) {
            return invalid(format!(
                "{field}: leave out the characters that turn the direction of text."
            ));
        }
        let shown = match c {
            c if is_ignorable(c) => joins_letters_or_shapes(chars, at),
            c => !is_blank(c) && !is_old_jamo(c),
        };
        if !shown {
            return invalid(format!(
                "{field}: leave out the characters that nobody can see."
            ));
        }
        if matches!(
            category(c),
            Category::Unassigned | Category::PrivateUse | Category::Surrogate | Category::Format
        ) && !is_ignorable(c)
        {
            return invalid(format!(
                "{field}: it has a character that is no letter, digit, symbol or punctuation."
            ));
        }
    }
    marks::check(field, chars)
}

fn joins_letters_or_shapes(chars: &[char], at: usize) -> bool {
    match chars[at] {
        super::characters::ZWJ | super::characters::ZWNJ => {
            joins_letters(chars, at) || shapes(chars, at)
        }
        _ => shapes(chars, at),
    }
}

/// Spaces, then NFKC, until nothing changes: RFC 8266, section 2.
fn prepare(text: &str) -> String {
    let mut name = compose(&spaced(text));
    for _ in 0..4 {
        let next = compose(&spaced(&name));
        if next == name {
            break;
        }
        name = next;
    }
    name
}

/// Letters that NFKC would tear apart, and accents that stand alone, which it would make a space with a mark on it.
fn keeps_form(c: char) -> bool {
    is_written_as_one(c) || !is_space(c) && std::iter::once(c).nfkc().next() == Some(' ')
}

/// NFKC, but for emoji, which would become letters (`™️`, `🈁`), and what [`keeps_form`].
fn compose(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    let mut plain = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let styled = is_emoji(c) && chars.peek() == Some(&'\u{fe0f}');
        if styled || is_emoji_presentation(c) || keeps_form(c) {
            name.extend(plain.nfkc());
            plain.clear();
            name.push(c);
        } else {
            plain.push(c);
        }
    }
    name.extend(plain.nfkc());
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_people_have() {
        for (text, name) in [
            ("bob", "bob"),
            ("  a   b ", "a b"),
            ("ＡＢＣ　x", "ABC x"),
            ("Jose\u{301}", "Jos\u{e9}"),
            ("爱丽丝 ✨", "爱丽丝 ✨"),
            ("玛丽·居里", "玛丽·居里"),
            ("น้ำ", "น้ำ"),
            ("हिन्दी", "हिन्दी"),
            ("क्\u{200d}ष", "क्\u{200d}ष"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("👨\u{200d}👩\u{200d}👧 ok", "👨\u{200d}👩\u{200d}👧 ok"),
            ("🧔🏽\u{200d}♂\u{fe0f}", "🧔🏽\u{200d}♂\u{fe0f}"),
            ("❤\u{fe0f}\u{200d}🔥", "❤\u{fe0f}\u{200d}🔥"),
            ("1\u{fe0f}\u{20e3}", "1\u{fe0f}\u{20e3}"),
            ("🇨🇳", "🇨🇳"),
            (
                "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
                "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            ),
            ("™\u{fe0f} ‼\u{fe0f}", "™\u{fe0f} ‼\u{fe0f}"),
            ("辻\u{e0100}", "辻\u{e0100}"),
            ("¯\\_(ツ)_/¯", "¯\\_(ツ)_/¯"),
            ("Zoë 100%", "Zoë 100%"),
        ] {
            assert_eq!(display_name("n", text).as_deref(), Ok(name), "{text}");
            assert_eq!(display_name("n", name).as_deref(), Ok(name), "{text} twice");
        }
        assert!(display_name("n", &"x".repeat(64)).is_ok());
        assert!(display_name("n", &"x".repeat(65)).is_err());
    }

    #[test]
    fn names_that_are_refused() {
        for text in [
            "",
            " ",
            "\u{3000}",
            "\u{3164}",
            "\u{115f}",
            "\u{1160}",
            "\u{ffa0}",
            "bob\u{3164}",
            "\u{200b}",
            "bob\u{200b}",
            "\u{2800}",
            "a\u{2800}",
            "\u{202e}bob",
            "a\u{2066}b",
            "a\u{200f}",
            "\u{61c}a",
            "\u{2060}",
            "a\u{feff}",
            "a\u{ad}b",
            "a\u{34f}b",
            "a\u{200d}b",
            "a\u{200c}b",
            "a\u{fe0f}",
            "\u{fe0f}",
            "\u{200d}",
            "👨\u{200d}",
            "a\nb",
            "a\rb",
            "a\u{85}b",
            "a\u{2028}b",
            "a\u{2029}b",
            "a\u{b}b",
            "a\u{c}b",
            "\n",
            "bob\n",
            "a\tb",
            "a\u{0}",
            "a\u{1b}[31m",
            "a\u{9b}31m",
            "\u{e0041}",
            "🏴\u{e0067}",
            "x\u{e0100}",
            "\u{301}x",
            "\u{301}",
            "\u{fffc}",
            "a\u{e000}",
            "a\u{378}",
            "a\u{fff9}",
            "q\u{301}\u{302}\u{303}\u{304}\u{305}",
            "灵犀",
            "ＡＩ",
            "lіngxi",
            "\u{180b}a",
            "\u{17b4}",
            "\u{13441}",
            "\u{1d159}",
            "\u{180e}a",
        ] {
            let checked = display_name("nickname", text);
            assert!(checked.is_err(), "{}", text.escape_unicode());
            assert!(checked.unwrap_err().0.starts_with("nickname: "), "{text}");
        }
    }
}
