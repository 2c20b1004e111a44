//! Whom a client addresses.

use std::borrow::Cow;

use super::{Refused, Text};
use crate::{GroupId, limits, validate};

/// Whom a client addresses.
#[derive(Debug, PartialEq, Eq)]
pub enum Recipient<'a> {
    /// A user, by name.
    User(Cow<'a, str>),
    /// A group.
    Group(GroupId),
}

/// The fields that name a recipient.
#[derive(Debug)]
pub struct Addressed<'a> {
    /// A username, or `group_<id>`.
    pub to: Option<Text<'a>>,
    /// A group.
    pub group_id: Option<GroupId>,
}

impl<'a> Addressed<'a> {
    /// The user, or the group that `to` is another name for.
    ///
    /// # Errors
    /// When `to` is missing or empty.
    pub fn user_or_alias(self) -> Result<Recipient<'a>, Refused> {
        let name = self.to.filter(|name| !name.is_empty());
        let Text(name) =
            name.ok_or_else(|| Refused::invalid("to: give the recipient's username."))?;
        match validate::as_group_alias(&name) {
            Some(id) if is_id(id) => Ok(Recipient::Group(id)),
            _ => Ok(Recipient::User(name)),
        }
    }

    /// The group, by its id or by `to`.
    ///
    /// # Errors
    /// When neither names one.
    pub fn group(self) -> Result<Recipient<'a>, Refused> {
        let alias = || validate::as_group_alias(self.to.as_deref()?);
        let id = self.group_id.or_else(alias).filter(|&id| is_id(id));
        id.map(Recipient::Group)
            .ok_or_else(|| Refused::invalid("group_id: give the group's id, a positive integer."))
    }
}

fn is_id(id: GroupId) -> bool {
    (1..limits::MAX_INTEGER).contains(&id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(name: &str, group_id: Option<GroupId>) -> Addressed<'_> {
        let to = Some(name.into());
        Addressed { to, group_id }
    }

    #[test]
    fn a_group_has_two_names() {
        for addressed in [to("x", Some(42)), to("group_42", None)] {
            assert_eq!(addressed.group(), Ok(Recipient::Group(42)));
        }
        assert_eq!(
            to("group_42", None).user_or_alias(),
            Ok(Recipient::Group(42))
        );
        assert_eq!(
            to("bob", Some(7)).user_or_alias(),
            Ok(Recipient::User("bob".into()))
        );
        for nobody in [
            to("x", Some(-1)),
            to("x", Some(1 << 53)),
            to("group_0", None),
            to("x", None),
        ] {
            assert!(nobody.group().unwrap_err().message.contains("group_id"));
        }
        assert!(
            to("", None)
                .user_or_alias()
                .unwrap_err()
                .message
                .contains("to:")
        );
    }
}
