//! The messages of a herd: their names, which are also their contents.

use std::fmt::Write as _;

/// Letters of a name.
pub(super) const NAME: usize = 26;

/// Which message of which conversation of which run it is.
///
/// Number 0 comes before the loss, 1 to N while the devices are away, N + 1 when they are back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name {
    /// Random, so that users of an earlier run can be used again.
    pub(super) run: u32,
    pub(super) conversation: u32,
    pub(super) number: u32,
}

/// Whom a conversation's messages are sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Recipient {
    /// A user, by name.
    User(String),
    /// A group, by id.
    Group(u64),
}

impl Name {
    /// The frame of this message, with `size` bytes of content, at least [`NAME`].
    pub(super) fn frame(self, to: &Recipient, size: usize) -> String {
        let Self {
            run,
            conversation,
            number,
        } = self;
        let name = format!("{run:08x}-{conversation:08x}-{number:08x}");
        let mut text = match to {
            Recipient::User(user) => format!(r#"{{"type":2,"to":"{user}""#),
            Recipient::Group(id) => format!(r#"{{"type":4,"group_id":{id}"#),
        };
        // Writing to a string cannot fail.
        let _ = write!(text, r#","msg_id":"{name}","content":"{name:x<size$}"}}"#);
        text
    }

    /// The name that `text`, a message id or a content, begins with.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text.get(..NAME)?).ok()?;
        let mut parts = text.split('-');
        let mut part = || u32::from_str_radix(parts.next()?, 16).ok();
        Some(Self {
            run: part()?,
            conversation: part()?,
            number: part()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Name, Recipient};
    use crate::client::Frame;

    #[test]
    fn a_name_reads_back() {
        let name = Name {
            run: u32::MAX,
            conversation: 7,
            number: 300,
        };
        for to in [Recipient::User("bob".to_owned()), Recipient::Group(42)] {
            let text = name.frame(&to, 100);
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(value["content"].as_str().unwrap().len(), 100);
            let frame = Frame::scan(text.as_bytes()).unwrap();
            assert_eq!(Name::read(frame.msg_id), Some(name));
            assert_eq!(Name::read(frame.content), Some(name));
        }
        assert_eq!(Name::read(b"back"), None);
        assert_eq!(Name::read(b"00000000-00000000-0000000g"), None);
    }
}
