//! What entries of a log say beside their text, as the store keeps it: a JSON object, by the kind of the entry. What changes
//! about groups is in [`crate::frame::server::Changes`].

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{FileId, Seq, UserId};

/// The id under which everybody in a group is mentioned, which no user has.
pub const EVERYBODY: UserId = 0;

/// Of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageDetail {
    /// The message that it answers: its id and its place in the same conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<(i64, Seq)>,
    /// Whom it mentions, as they are called; everybody is [`EVERYBODY`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<(UserId, String)>,
    /// Who said it first, where it was forwarded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forwarded_from: Option<String>,
    /// The file that it brings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileDetail>,
}

/// A file as the messages that bring it show it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDetail {
    /// Its id.
    pub id: FileId,
    /// What it is called.
    pub name: String,
    /// Its bytes.
    pub size: i64,
    /// Its media type.
    pub mime: String,
    /// How wide and how high it is, where it is a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixels: Option<(i64, i64)>,
    /// Whether it has a thumbnail.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub thumbnail: bool,
}

/// What a message is searched by: its text, and what its file is called. `detail` is as the store keeps it.
pub fn searched<'a>(content: &'a str, detail: Option<&str>) -> Cow<'a, str> {
    let file = detail
        .and_then(MessageDetail::read)
        .and_then(|detail| detail.file);
    match file {
        None => content.into(),
        Some(file) if content.is_empty() => file.name.into(),
        Some(file) => format!("{content}\n{}", file.name).into(),
    }
}

impl MessageDetail {
    /// As it was written; `None` for what is no detail of a message.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Of whom it is to be counted that they were mentioned: each once, and nobody beside everybody.
    pub fn counted(&self) -> Vec<UserId> {
        let mut ids: Vec<UserId> = self.mentions.iter().map(|(id, _)| *id).collect();
        if ids.contains(&EVERYBODY) {
            return vec![EVERYBODY];
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

/// Of a reaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactionDetail {
    /// With what.
    pub emoji: String,
    /// Whether the user reacts so from then on, or no longer.
    pub on: bool,
    /// How many do then.
    pub count: i64,
}

/// Of an edit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditDetail {
    /// Whether everybody who sees the edit sees the message too, and so its text.
    pub open: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_counted_twice() {
        let counted = |ids: &[UserId]| {
            let mentions = ids.iter().map(|&id| (id, format!("user{id}"))).collect();
            let detail = MessageDetail {
                mentions,
                ..MessageDetail::default()
            };
            detail.counted()
        };
        assert_eq!(counted(&[]), Vec::<UserId>::new());
        assert_eq!(counted(&[7, 3, 7]), [3, 7]);
        assert_eq!(counted(&[7, EVERYBODY, 3]), [EVERYBODY]);
    }

    #[test]
    fn what_is_written_is_read_and_says_no_more_than_there_is() {
        let detail = MessageDetail {
            reply_to: Some((9, 2)),
            mentions: vec![(3, "bob".into())],
            forwarded_from: Some("alice".into()),
            file: Some(FileDetail {
                id: 7,
                pixels: Some((3, 4)),
                thumbnail: true,
                ..FileDetail::default()
            }),
        };
        let text = serde_json::to_string(&detail).unwrap();
        assert_eq!(MessageDetail::read(&text), Some(detail));
        let nothing = serde_json::to_string(&MessageDetail::default()).unwrap();
        assert_eq!(nothing, "{}");
        assert_eq!(MessageDetail::read("no JSON"), None);
    }

    #[test]
    fn a_message_is_searched_by_its_text_and_its_file() {
        let detail = MessageDetail {
            file: Some(FileDetail {
                name: "plan.pdf".into(),
                ..FileDetail::default()
            }),
            ..MessageDetail::default()
        };
        let text = serde_json::to_string(&detail).unwrap();
        assert_eq!(searched("", Some(&text)), "plan.pdf");
        assert_eq!(searched("look", Some(&text)), "look\nplan.pdf");
        assert_eq!(searched("look", Some("{}")), "look");
        assert_eq!(searched("look", None), "look");
    }
}
