//! Asking the index, and looking through what is behind it.

use std::collections::HashMap;

use lingxi_domain::Seq;
use lingxi_domain::search::Keyword;
use lingxi_store::{Bounds, EntryKind, Searchable, Store};

use super::judge::text;
use crate::Result;

/// Entries behind the index that are looked through, of each conversation the newest.
const BEHIND: Seq = 256;
/// The same, of all conversations of one search.
const BEHIND_IN_ALL: Seq = 2_000;
/// And of their contents at one time, in bytes.
const BEHIND_BYTES: usize = 4 * 1024 * 1024;

pub(super) struct Lookup<'s> {
    store: &'s Store,
    keyword: &'s Keyword,
    /// Entries behind the index that may still be looked through.
    left: Seq,
    behind: bool,
}

impl<'s> Lookup<'s> {
    pub(super) fn new(store: &'s Store, keyword: &'s Keyword) -> Self {
        Self {
            store,
            keyword,
            left: BEHIND_IN_ALL,
            behind: false,
        }
    }

    /// Whether some entries were neither in the index nor looked through.
    pub(super) fn is_behind(&self) -> bool {
        self.behind
    }

    /// Of each of these conversations the places, in order, of messages that may have the keyword.
    pub(super) async fn places(
        &mut self,
        all: &[Searchable],
        numbers: &[usize],
    ) -> Result<Vec<Vec<Seq>>> {
        let mut found: Vec<Option<Vec<Seq>>> = vec![None; numbers.len()];
        // Where the narrowest range is not, the others need not be looked for.
        let mut left: Vec<usize> = (0..numbers.len()).collect();
        for &range in self.keyword.ranges() {
            let asked: Vec<&Searchable> = left.iter().map(|&at| &all[numbers[at]]).collect();
            let answers = self.store.find(&asked, range).await?;
            for (&at, places) in left.iter().zip(answers) {
                let both = match found[at].take() {
                    None => places,
                    Some(before) => common(&before, &places),
                };
                found[at] = Some(both);
            }
            left.retain(|&at| found[at].as_ref().is_some_and(|places| !places.is_empty()));
            if left.is_empty() {
                break;
            }
        }
        let mut found: Vec<Vec<Seq>> = found.into_iter().map(Option::unwrap_or_default).collect();
        self.look_through(all, numbers, &mut found).await?;
        Ok(found)
    }

    /// Adds what stands behind the index.
    async fn look_through(
        &mut self,
        all: &[Searchable],
        numbers: &[usize],
        found: &mut [Vec<Seq>],
    ) -> Result<()> {
        let mut ranges = Vec::new();
        let mut owners = HashMap::new();
        for (at, &number) in numbers.iter().enumerate() {
            let one = &all[number];
            let missing = one.last - one.indexed.max(one.first - 1);
            if missing <= 0 {
                continue;
            }
            let taken = missing.min(BEHIND).min(self.left);
            self.left -= taken;
            self.behind |= taken < missing;
            if taken > 0 {
                let key = one.conversation.as_str();
                ranges.push((key, one.last - taken + 1, one.last));
                owners.insert(key, at);
            }
        }
        let bounds = Bounds {
            rows: usize::try_from(BEHIND_IN_ALL).unwrap_or(0),
            bytes: BEHIND_BYTES,
        };
        let through = self.store.entries_within(&ranges, bounds).await?;
        self.behind |= through.has_more;
        for entry in &through.entries {
            let Some(&at) = owners.get(entry.conversation.as_str()) else {
                continue;
            };
            match entry.kind {
                EntryKind::Message if self.keyword.finds(&text(entry)) => found[at].push(entry.seq),
                EntryKind::Edited => found[at].extend(entry.target_seq),
                _ => {}
            }
        }
        for places in found {
            places.sort_unstable();
            places.dedup();
        }
        Ok(())
    }
}

/// What is in both of two ordered lists.
fn common(one: &[Seq], other: &[Seq]) -> Vec<Seq> {
    let (few, many) = if one.len() <= other.len() {
        (one, other)
    } else {
        (other, one)
    };
    let is_there = |seq: &&Seq| many.binary_search(seq).is_ok();
    few.iter().filter(is_there).copied().collect()
}
