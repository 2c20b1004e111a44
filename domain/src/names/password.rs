//! Passwords: the profile OpaqueString of RFC 8265.

use unicode_normalization::UnicodeNormalization as _;

use super::characters::{Category, category, is_control, is_space};
use crate::limits::{MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS};
use crate::validate::{Invalid, invalid};

/// Prepares a new password: 6 characters to 72 bytes, bcrypt's limit; a longer one is refused, never cut. `field` is what
/// the errors name.
///
/// # Errors
/// One sentence that says what to change.
pub fn password(field: &str, text: &str) -> Result<String, Invalid> {
    let long = || invalid(format!("{field}: use at most 72 bytes."));
    // Composing makes it shorter, by no more than this.
    if text.len() > 4 * MAX_PASSWORD_BYTES {
        return long();
    }
    let password = prepare(text);
    if password.len() > MAX_PASSWORD_BYTES {
        return long();
    }
    if password.chars().count() < MIN_PASSWORD_CHARS {
        return invalid(format!("{field}: use at least 6 characters."));
    }
    let typed = |c| {
        !is_control(c)
            && !matches!(
                category(c),
                Category::Unassigned | Category::PrivateUse | Category::Surrogate
            )
    };
    if !password.chars().all(typed) {
        return invalid(format!(
            "{field}: use characters that can be typed, no control characters."
        ));
    }
    Ok(password)
}

/// What a password that somebody gave is compared as: prepared, and, where that differs, as it was given, since older
/// hashes are of that.
pub fn password_forms(text: &str) -> (String, Option<&str>) {
    let prepared = match text.len() {
        n if n > 4 * MAX_PASSWORD_BYTES => text.to_owned(),
        _ => prepare(text),
    };
    let raw = Some(text).filter(|raw| *raw != prepared);
    (prepared, raw)
}

/// Any space is U+0020, then NFC.
fn prepare(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let spaced = text.chars().map(|c| if is_space(c) { ' ' } else { c });
    spaced.nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_never_cut() {
        assert_eq!(password("password", "123456").as_deref(), Ok("123456"));
        assert!(password("password", &"x".repeat(72)).is_ok());
        assert!(password("password", &"x".repeat(73)).is_err());
        assert!(
            password("password", &"字".repeat(25)).is_err(),
            "75 bytes in 25 characters"
        );
        assert!(password("password", "12345").is_err());
        assert!(
            password("password", "e\u{301}e\u{301}e\u{301}").is_err(),
            "three characters"
        );
    }

    #[test]
    fn what_looks_the_same_is_the_same() {
        assert_eq!(
            password("password", "Jose\u{301}12"),
            password("password", "José12")
        );
        assert_eq!(
            password("password", "pass\u{3000}wo\u{a0}rd").as_deref(),
            Ok("pass wo rd")
        );
        assert_eq!(
            password("password", "ＡＢＣ123").as_deref(),
            Ok("ＡＢＣ123"),
            "width counts"
        );
        assert!(password("password", "👨\u{200d}👩\u{200d}👧\u{fe0f}ok").is_ok());
        for bad in [
            "abc\u{0}def",
            "abc\tdef",
            "abcdef\n",
            "abcde\u{85}f",
            "abcdef\u{ffff}",
        ] {
            assert!(password("password", bad).is_err(), "{bad:?}");
        }
        assert_eq!(password_forms("abc"), ("abc".to_owned(), None));
        assert_eq!(
            password_forms("e\u{301}"),
            ("\u{e9}".to_owned(), Some("e\u{301}"))
        );
    }
}
