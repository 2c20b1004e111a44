//! What a client says and hears about where it stands in a conversation.

use serde::Deserialize;

/// A conversation of which a server left entries out.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Gap {
    /// Its key.
    pub conversation: String,
    /// The last entry that was left out.
    pub last_seq: u64,
}

impl Gap {
    /// The conversations that a `gap` frame names; `None` when it cannot be read.
    #[must_use]
    pub fn read(text: &[u8]) -> Option<Vec<Self>> {
        #[derive(Deserialize)]
        struct Frame {
            conversations: Vec<Gap>,
        }
        let frame: Frame = serde_json::from_slice(text).ok()?;
        Some(frame.conversations)
    }
}

/// A frame that asks for everything of `conversation` behind `seq`.
#[must_use]
pub fn pull(conversation: &str, seq: u64) -> String {
    format!(r#"{{"type":7,"cursors":{{"{conversation}":{seq}}}}}"#)
}

/// A frame that confirms everything of `conversation` up to `seq`.
#[must_use]
pub fn receipt(conversation: &str, seq: u64) -> String {
    format!(r#"{{"type":8,"conversation":"{conversation}","seq":{seq},"kind":"delivered"}}"#)
}

#[cfg(test)]
mod tests {
    use super::{Gap, pull, receipt};

    #[test]
    fn frames_have_the_contracts_shape() {
        let text = br#"{"type":5,"event":"gap","conversations":[{"conversation":"g:4","after":7,"last_seq":9}]}"#;
        let gap = Gap {
            conversation: "g:4".to_owned(),
            last_seq: 9,
        };
        assert_eq!(Gap::read(text), Some(vec![gap]));
        assert_eq!(Gap::read(b"{}"), None);
        let value: serde_json::Value = serde_json::from_str(&pull("g:4", 8)).unwrap();
        assert_eq!(value["cursors"]["g:4"], 8);
        let value: serde_json::Value = serde_json::from_str(&receipt("d:1:2", 8)).unwrap();
        assert_eq!(
            (&value["conversation"], &value["seq"]),
            (&"d:1:2".into(), &8.into())
        );
    }
}
