//! Whether a message is one that is looked for.

use std::borrow::Cow;

use lingxi_domain::UserId;
use lingxi_domain::detail::searched;
use lingxi_domain::search::Keyword;
use lingxi_store::{Entry, EntryKind, Searchable};

use super::query::SearchQuery;

pub(super) struct Judge<'q> {
    pub(super) keyword: &'q Keyword,
    /// Who is to have written it.
    pub(super) sender: Option<UserId>,
    pub(super) query: &'q SearchQuery,
}

/// What a message is searched by.
pub(super) fn text(entry: &Entry) -> Cow<'_, str> {
    searched(&entry.content, entry.detail.as_deref())
}

impl Judge<'_> {
    /// Judges a message by what it says now, and by what the user may see of it.
    pub(super) fn fits(&self, within: &Searchable, entry: &Entry) -> bool {
        let seen = within.first..=within.last;
        // What was edited since they left was not said to them.
        let said = entry.edited_seq.is_none_or(|edited| edited <= within.last);
        entry.kind == EntryKind::Message
            && entry.recalled_at.is_none()
            && seen.contains(&entry.seq)
            && said
            && self.sender.is_none_or(|sender| sender == entry.sender_id)
            && self.query.before.is_none_or(|before| entry.id < before)
            && self
                .query
                .since
                .is_none_or(|since| entry.created_at >= since)
            && self
                .query
                .until
                .is_none_or(|until| entry.created_at < until)
            && self.query.kind.is_none_or(|kind| kind.is_of(entry))
            && self.keyword.finds(&text(entry))
    }
}
