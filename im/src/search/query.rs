//! What is asked.

use lingxi_domain::limits;

use crate::Target;

/// What somebody looks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchQuery {
    /// Words that the message has, all of them.
    pub keyword: String,
    /// Only in this conversation.
    pub within: Option<Target>,
    /// Only what this user has written, by username.
    pub from: Option<String>,
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
