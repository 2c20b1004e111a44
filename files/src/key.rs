//! Under which name an object is kept.

use uuid::Uuid;

/// The name of a file among all: random, so that nothing about it can be guessed from it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(String);

/// What is kept under one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The file.
    Whole,
    /// Its thumbnail.
    Thumbnail,
}

impl Key {
    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4().simple().to_string())
    }

    /// One that was written down; `None` for what is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        plain.then(|| Self(text.to_owned()))
    }

    /// As it is written down.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where a part stands: the folder, and the name in it.
    pub(crate) fn place(&self, part: Part) -> (&str, String) {
        let end = match part {
            Part::Whole => "",
            Part::Thumbnail => ".thumbnail",
        };
        (&self.0[..2], format!("{}{end}", self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_no_path() {
        let key = Key::random();
        assert_eq!(Key::parse(key.as_str()), Some(key));
        for bad in [
            "",
            "..",
            "../../../../../../../../etc/passwd0",
            &"é".repeat(16),
        ] {
            assert_eq!(Key::parse(bad), None, "{bad}");
        }
    }
}
