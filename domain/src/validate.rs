//! What numbers and ids may look like. Each check answers with a sentence that says what to do. Names, passwords and texts
//! are in [`crate::names`].

use crate::limits;

/// Why a value was refused, in one sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

pub(crate) fn invalid<T>(message: impl Into<String>) -> Result<T, Invalid> {
    Err(Invalid(message.into()))
}

/// The group that a recipient such as `group_42` stands for.
pub fn as_group_alias(to: &str) -> Option<i64> {
    let digits = to
        .strip_prefix("group_")
        .or_else(|| to.strip_prefix("GROUP_"))?;
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
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
    fn group_aliases() {
        assert_eq!(as_group_alias("group_42"), Some(42));
        assert_eq!(as_group_alias("group_"), None);
        assert_eq!(as_group_alias("group_x"), None);
        assert_eq!(as_group_alias("bob"), None);
    }
}
