//! Pages of a conversation's log.

use bytes::Bytes;
use lingxi_domain::{ConversationKey, ErrorCode, Seq, UserId, limits};
use lingxi_store::{Bounds, Excerpt};

use super::Messages;
use crate::{Frames, Result};

/// Which page of a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Only entries with a lower seq.
    pub before: Option<Seq>,
    /// Only entries with a higher seq, the oldest of them first; without it, the newest ones.
    pub after: Option<Seq>,
    /// How many; [`limits::DEFAULT_PAGE`] when nothing is said, no more than [`limits::MAX_PAGE`].
    pub limit: Option<i64>,
    /// Every entry of the log and not only messages, so that `seq` has no holes.
    pub all_entries: bool,
}

/// A page of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// Each entry as JSON, in the shape of a pushed frame and with its present state; oldest first.
    pub messages: Vec<Bytes>,
    /// Whether there are more: later ones with `after`, earlier ones without.
    pub has_more: bool,
}

/// How many of these a page holds: it ends at [`limits::MAX_PAGE_BYTES`] of JSON, but has one at least.
pub(crate) fn fitting<'a>(messages: impl Iterator<Item = &'a Bytes>) -> usize {
    let mut bytes = 0;
    messages
        .enumerate()
        .take_while(|(number, json)| {
            bytes += json.len() + 1;
            *number == 0 || bytes <= limits::MAX_PAGE_BYTES
        })
        .count()
}

impl Messages<'_> {
    /// A page of what this user may see of a conversation: from their joining to their leaving. It ends at
    /// [`limits::MAX_PAGE_BYTES`] however many entries were asked for.
    ///
    /// # Errors
    /// `group_not_found`; `not_member` for those who never were in the group; `forbidden` for a private conversation of
    /// others.
    pub async fn history(
        &self,
        user: UserId,
        key: &ConversationKey,
        query: &HistoryQuery,
    ) -> Result<History> {
        self.check(user, *key).await?;
        let conversation = key.to_string();
        let Some(member) = self.im.store.member(&conversation, user).await? else {
            return match key {
                ConversationKey::Group(_) => Err(ErrorCode::NotMember.into()),
                ConversationKey::Direct(..) => Ok(History {
                    messages: Vec::new(),
                    has_more: false,
                }),
            };
        };
        let limit = query
            .limit
            .unwrap_or(limits::DEFAULT_PAGE)
            .clamp(1, limits::MAX_PAGE);
        let first = query.after.map_or(member.joined_seq, |after| {
            member.joined_seq.max(after.saturating_add(1))
        });
        let last = member.left_seq.unwrap_or(Seq::MAX);
        let last = query
            .before
            .map_or(last, |before| last.min(before.saturating_sub(1)));
        let from_start = query.after.is_some();
        // What a message may come to as JSON is judged below; no more is read than could fit.
        let bounds = Bounds {
            rows: usize::try_from(limit).unwrap_or(1),
            bytes: limits::MAX_PAGE_BYTES,
        };
        let page = self.im.store.history_page(
            &conversation,
            (first, last),
            bounds,
            from_start,
            !query.all_entries,
        );
        let Excerpt {
            entries,
            has_more: more_rows,
        } = page.await?;
        let frames = Frames { im: self.im };
        let frames = match member.left_seq {
            None => frames.shown_to(user, &entries).await?,
            Some(left_seq) => frames.until(left_seq, &entries).await?,
        };
        let mut messages: Vec<_> = frames.into_iter().map(|frame| frame.json).collect();
        let fitting = if from_start {
            let fitting = fitting(messages.iter());
            messages.truncate(fitting);
            fitting
        } else {
            let fitting = fitting(messages.iter().rev());
            messages.drain(..messages.len() - fitting);
            fitting
        };
        Ok(History {
            has_more: more_rows || fitting < entries.len(),
            messages,
        })
    }
}
