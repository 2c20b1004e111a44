//! What is asked.

use lingxi_domain::limits;
use lingxi_store::Entry;
use serde::Deserialize;

use crate::Target;
use crate::frames::file_of;

/// What a message brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchedKind {
    /// No file.
    Text,
    /// A file of any kind.
    File,
    /// A picture.
    Image,
    /// A video.
    Video,
    /// A recording.
    Audio,
}

impl SearchedKind {
    pub(super) fn is_of(self, message: &Entry) -> bool {
        let file = file_of(message);
        let is = |kind: &str| {
            file.as_ref()
                .is_some_and(|file| file.mime.starts_with(kind))
        };
        match self {
            Self::Text => file.is_none(),
            Self::File => file.is_some(),
            Self::Image => is("image/"),
            Self::Video => is("video/"),
            Self::Audio => is("audio/"),
        }
    }
}

/// What somebody looks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchQuery {
    /// Words that the message has, all of them.
    pub keyword: String,
    /// Only in this conversation.
    pub within: Option<Target>,
    /// Only what this user has written, by username.
    pub from: Option<String>,
    /// Only messages that bring this.
    pub kind: Option<SearchedKind>,
    /// Only from this time on, milliseconds since the Unix epoch.
    pub since: Option<i64>,
    /// Only before this time.
    pub until: Option<i64>,
    /// Only messages with a lower id: where an earlier page has ended.
    pub before: Option<i64>,
    /// How many; [`limits::DEFAULT_PAGE`] when nothing is said, no more than [`limits::MAX_PAGE`].
    pub limit: Option<i64>,
}

impl SearchQuery {
    pub(super) fn rows(&self) -> usize {
        let limit = self.limit.unwrap_or(limits::DEFAULT_PAGE);
        usize::try_from(limit.clamp(1, limits::MAX_PAGE)).unwrap_or(1)
    }
}
