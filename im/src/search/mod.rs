//! Searching what was said, in one's own conversations.
//!
//! Conversations are gone through by when they were last written to, and each only as far as it can still hold one of the
//! newest messages that are looked for (`places`): the index names places (`lookup`), and each message is looked at as it is
//! now (`judge`), so that nothing is shown that was recalled, or no longer says it, whatever the index holds.

mod judge;
mod lookup;
mod places;
mod query;

use bytes::Bytes;
use lingxi_domain::search::Keyword;
use lingxi_domain::{ErrorCode, UserId};
use lingxi_store::{Entry, Searchable};

pub use query::{SearchQuery, SearchedKind};

use self::judge::{Judge, text};
use self::lookup::Lookup;
use self::places::{Next, Places};
use crate::messages::fitting;
use crate::{Frames, Inner, Limits, Messages, Payer, Result, Spending};

/// Conversations of one user in which is searched: those that were written to last.
const CONVERSATIONS: usize = 5_000;
/// What a search costs beside the request that asks for it: it reads as much as some of them.
const COST: u32 = 4;
/// Messages that one request looks at, at most.
const LOOKED_AT: usize = 4_000;

/// A page of what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchPage {
    /// Each message as JSON, in the shape of a pushed frame with a `snippet` more; the newest first.
    pub messages: Vec<Bytes>,
    /// Where the next page goes on: [`SearchQuery::before`]. `None` where there is nothing more.
    pub next: Option<i64>,
    /// Whether some messages, of an outage or from before there was an index, cannot be found yet.
    pub indexing: bool,
}

impl Messages<'_> {
    /// Messages in the user's conversations that have the keyword, the newest first: those that the user may see, as they
    /// are now. What is looked at for one page is bounded; the page may be short, and the next one goes on.
    ///
    /// # Errors
    /// `invalid_request` for the keyword; `rate_limited`; `user_not_found`, `group_not_found`, `not_member` or `forbidden` for what the query
    /// names.
    pub async fn search(&self, user: UserId, query: &SearchQuery) -> Result<SearchPage> {
        let keyword = Keyword::new(&query.keyword)?;
        let limits = Limits { im: self.im };
        let payer = Payer::User(user);
        limits.spend(payer, Spending::Request, COST).await?;
        let sender = match &query.from {
            Some(name) => {
                let found = self.im.names.resolve(name).await?;
                Some(found.ok_or(ErrorCode::UserNotFound)?.0)
            }
            None => None,
        };
        let within = match &query.within {
            Some(target) => Some(self.conversation(user, target).await?.to_string()),
            None => None,
        };
        let within = within.as_deref();
        let searchable = self
            .im
            .store
            .searchable(user, within, CONVERSATIONS)
            .await?;
        if let Some(key) = within.filter(|key| searchable.is_empty() && key.starts_with("g:")) {
            let member = self.im.store.member(key, user).await?;
            member.ok_or(ErrorCode::NotMember)?;
        }
        let judge = Judge {
            keyword: &keyword,
            sender,
            query,
        };
        let rows = query.rows();
        let (found, next, indexing) = self.im.found(&searchable, &judge, rows).await?;
        let mut page = self.im.shown(user, &searchable, found, &keyword).await?;
        // The page ends at a number of bytes, too; then the next one begins behind its last message.
        let fitting = fitting(page.iter().map(|(_, json)| json));
        let next = if fitting < page.len() {
            Some(page[fitting - 1].0)
        } else {
            next
        };
        page.truncate(fitting);
        Ok(SearchPage {
            messages: page.into_iter().map(|(_, json)| json).collect(),
            next,
            indexing,
        })
    }
}

impl Inner {
    /// The newest messages that fit, each with the number of its conversation; where the next page goes on; whether the index
    /// is behind.
    async fn found(
        &self,
        conversations: &[Searchable],
        judge: &Judge<'_>,
        rows: usize,
    ) -> Result<(Vec<(usize, Entry)>, Option<i64>, bool)> {
        let mut places = Places::of(conversations, judge.query);
        let mut lookup = Lookup::new(&self.store, judge.keyword);
        let mut found: Vec<(usize, Entry)> = Vec::new();
        let mut looked_at = 0;
        // One more than asked for tells whether there are more.
        while places.are_surely(&found) <= rows && looked_at < LOOKED_AT {
            match places.next() {
                Next::End => break,
                Next::LookUp(numbers) => {
                    let of_them = lookup.places(conversations, &numbers).await?;
                    places.put(&numbers, of_them);
                }
                Next::LookAt(wanted) => {
                    let ranges: Vec<_> = wanted
                        .iter()
                        .map(|&(number, seq)| {
                            (conversations[number].conversation.as_str(), seq, seq)
                        })
                        .collect();
                    let entries = self.store.entries_of_many(&ranges).await?;
                    looked_at += entries.len();
                    places.looked_at(&wanted, &entries, judge.query.since);
                    for entry in entries {
                        let number = places.number_of(&entry.conversation);
                        let Some(number) = number else { continue };
                        if judge.fits(&conversations[number], &entry) {
                            found.push((number, entry));
                        }
                    }
                }
            }
        }
        let sure = places.bound();
        found.sort_unstable_by_key(|(_, entry)| std::cmp::Reverse(entry.id));
        found.retain(|(_, entry)| entry.id >= sure);
        let next = if found.len() > rows {
            found.truncate(rows);
            found.last().map(|(_, entry)| entry.id)
        } else {
            // What is behind was not looked at.
            Some(sure).filter(|&sure| sure > 0)
        };
        Ok((found, next, lookup.is_behind()))
    }

    /// The messages as clients see them, each with its id.
    async fn shown(
        &self,
        user: UserId,
        conversations: &[Searchable],
        found: Vec<(usize, Entry)>,
        keyword: &Keyword,
    ) -> Result<Vec<(i64, Bytes)>> {
        let (former, present): (Vec<_>, Vec<_>) = found
            .into_iter()
            .partition(|(number, _)| conversations[*number].left);
        let frames = Frames { im: self };
        let present: Vec<Entry> = present.into_iter().map(|(_, entry)| entry).collect();
        let shown = frames.shown_to(user, &present).await?;
        let mut page = Vec::with_capacity(present.len() + former.len());
        for (entry, frame) in present.iter().zip(shown) {
            page.push((entry.id, with_snippet(&frame.json, keyword, entry)));
        }
        for (number, entry) in former {
            let last = conversations[number].last;
            let shown = frames.until(last, std::slice::from_ref(&entry)).await?;
            let shown = shown.iter().map(|frame| &frame.json);
            page.extend(shown.map(|json| (entry.id, with_snippet(json, keyword, &entry))));
        }
        page.sort_unstable_by_key(|(id, _)| std::cmp::Reverse(*id));
        Ok(page)
    }
}

/// The frame with one member more, at its end.
fn with_snippet(json: &[u8], keyword: &Keyword, entry: &Entry) -> Bytes {
    let snippet = serde_json::to_string(&keyword.snippet(&text(entry)));
    let (Some(open), Ok(snippet)) = (json.strip_suffix(b"}"), snippet) else {
        return Bytes::copy_from_slice(json);
    };
    [open, b",\"snippet\":", snippet.as_bytes(), b"}"]
        .concat()
        .into()
}
