//! What names, passwords and texts may look like. Each check answers with a sentence that says what to do.

use crate::limits;

/// Why a value was refused, in one sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

fn invalid<T>(message: impl Into<String>) -> Result<T, Invalid> {
    Err(Invalid(message.into()))
}

/// Names that only the system may use.
const RESERVED: &[&str] = &["灵犀", "lingxi", "ai", "system"];

/// The form under which a username is unique and looked up: without regard to case.
pub fn username_key(username: &str) -> String {
    username.to_lowercase()
}

/// A username for a new account: 1–32 letters and digits of any script, `_`, `-`, `.`.
pub fn username(text: &str) -> Result<(), Invalid> {
    if text.is_empty() {
        return invalid("username: choose one of 1 to 32 characters.");
    }
    if text.chars().nth(limits::MAX_USERNAME_CHARS).is_some() {
        return invalid("username: use at most 32 characters.");
    }
    if !text
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
    {
        return invalid("username: use only letters, digits, '_', '-' and '.'.");
    }
    if as_group_alias(text).is_some() {
        return invalid("username: names like group_42 stand for groups; choose another.");
    }
    if RESERVED.contains(&username_key(text).as_str()) {
        return invalid("username: this name is reserved; choose another.");
    }
    Ok(())
}

/// The group that a recipient such as `group_42` stands for.
pub fn as_group_alias(to: &str) -> Option<i64> {
    let digits = to
        .strip_prefix("group_")
        .or_else(|| to.strip_prefix("GROUP_"))?;
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

/// A password for a new account: 6 characters to 72 bytes, bcrypt's limit; a longer one is refused, never cut.
pub fn password(text: &str) -> Result<(), Invalid> {
    if text.len() > limits::MAX_PASSWORD_BYTES {
        return invalid("password: use at most 72 bytes.");
    }
    if text.chars().count() < limits::MIN_PASSWORD_CHARS {
        return invalid("password: use at least 6 characters.");
    }
    if text.contains('\0') {
        return invalid("password: the NUL character cannot be used.");
    }
    Ok(())
}

/// A name that people read: 1–64 characters, none of them a control character, not only spaces.
pub fn display_name(field: &str, text: &str) -> Result<(), Invalid> {
    if text.trim().is_empty() {
        return invalid(format!("{field}: give at least one visible character."));
    }
    one_line(field, text, limits::MAX_NAME_CHARS)
}

/// A text of at most `max` characters without control characters other than line breaks; may be empty.
pub fn one_line(field: &str, text: &str, max: usize) -> Result<(), Invalid> {
    if text.chars().nth(max).is_some() {
        return invalid(format!("{field}: use at most {max} characters."));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return invalid(format!("{field}: control characters cannot be used."));
    }
    Ok(())
}

/// A group's size limit.
pub fn max_count(count: i64) -> Result<(), Invalid> {
    if (2..=limits::MAX_GROUP_MEMBERS).contains(&count) {
        Ok(())
    } else {
        invalid("max_count: use a number from 2 to 5000.")
    }
}

/// A client's message id: 1–64 bytes.
pub fn msg_id(text: &str) -> Result<(), Invalid> {
    match text.len() {
        0 => invalid("msg_id: give each message an id of its own, such as a UUID."),
        n if n > limits::MAX_MSG_ID_BYTES => invalid("msg_id: use at most 64 bytes."),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames() {
        for good in ["bob", "张三", "a", "a_b-c.d", "Ünal9", &"x".repeat(32)] {
            assert_eq!(username(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "a b",
            "a\u{7}",
            "group_42",
            "Lingxi",
            "灵犀",
            "a/b",
            "<x>",
            &"x".repeat(33),
            &"x".repeat(500),
        ] {
            assert!(username(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn passwords_are_never_cut() {
        assert_eq!(password("123456"), Ok(()));
        assert_eq!(password(&"x".repeat(72)), Ok(()));
        assert!(password(&"x".repeat(73)).is_err());
        assert!(
            password(&"字".repeat(25)).is_err(),
            "75 bytes in 25 characters"
        );
        assert!(password("12345").is_err());
    }

    #[test]
    fn group_aliases() {
        assert_eq!(as_group_alias("group_42"), Some(42));
        assert_eq!(as_group_alias("group_"), None);
        assert_eq!(as_group_alias("group_x"), None);
        assert_eq!(as_group_alias("bob"), None);
    }
}
