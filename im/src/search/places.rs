//! Where is looked next: in the conversation that may hold the newest of what was not looked at yet.

use std::collections::{BinaryHeap, HashMap};

use lingxi_domain::Seq;
use lingxi_store::{Entry, Searchable};

use super::query::SearchQuery;

/// Conversations that are looked up in the index together, at first; each time four times as many.
const LOOKED_UP: usize = 16;
const MOST_LOOKED_UP: usize = 1_024;
/// Messages of one conversation that are looked at together, at first; each time twice as many.
const STEP: usize = 4;
const MOST_STEP: usize = 64;
/// Messages that are looked at together.
const TOGETHER: usize = 128;
/// Ids begin with the time of a message; how far its time may be ahead of that, in milliseconds.
const SLACK: i64 = 60_000;

/// What is to be done next.
pub(super) enum Next {
    /// Nothing is left.
    End,
    /// These conversations are to be looked up in the index.
    LookUp(Vec<usize>),
    /// These messages are to be looked at.
    LookAt(Vec<(usize, Seq)>),
}

/// One conversation.
struct Open {
    /// All messages of it that were not looked at have lower ids.
    bound: i64,
    /// The places that were not looked at yet, in order; `None` as long as they are not known.
    places: Option<Vec<Seq>>,
    step: usize,
}

pub(super) struct Places<'c> {
    open: Vec<Open>,
    numbers: HashMap<&'c str, usize>,
    /// The conversations with something left that are not taken out, by their bounds.
    bounds: BinaryHeap<(i64, usize)>,
    looked_up: usize,
}

/// The lowest id that a message of this time cannot have.
fn behind(time: i64) -> i64 {
    time.saturating_add(SLACK).saturating_mul(1 << 12)
}

impl<'c> Places<'c> {
    pub(super) fn of(conversations: &'c [Searchable], query: &SearchQuery) -> Self {
        let latest = query.until.map_or(i64::MAX, behind);
        let latest = latest.min(query.before.unwrap_or(i64::MAX));
        let since = query.since.unwrap_or(0);
        let open: Vec<Open> = conversations
            .iter()
            .map(|one| Open {
                bound: behind(one.last_time).min(latest),
                places: None,
                step: STEP,
            })
            .collect();
        let bounds = conversations.iter().zip(&open).zip(0..);
        let bounds = bounds.filter(|((one, _), _)| one.last_time >= since);
        let numbers = conversations.iter().zip(0..);
        Self {
            bounds: bounds
                .map(|((_, open), number)| (open.bound, number))
                .collect(),
            open,
            numbers: numbers
                .map(|(one, number)| (one.conversation.as_str(), number))
                .collect(),
            looked_up: LOOKED_UP,
        }
    }

    /// Which of the conversations this is.
    pub(super) fn number_of(&self, conversation: &str) -> Option<usize> {
        self.numbers.get(conversation).copied()
    }

    /// All messages that were not looked at have lower ids; 0 when there are none.
    pub(super) fn bound(&self) -> i64 {
        self.bounds.peek().map_or(0, |(bound, _)| *bound)
    }

    /// How many of these come before everything that was not looked at.
    pub(super) fn are_surely(&self, found: &[(usize, Entry)]) -> usize {
        let bound = self.bound();
        found.iter().filter(|(_, entry)| entry.id >= bound).count()
    }

    /// Takes those out that are next; they come back by [`Self::put`] or [`Self::looked_at`].
    pub(super) fn next(&mut self) -> Next {
        let Some(&(_, first)) = self.bounds.peek() else {
            return Next::End;
        };
        let is_known = self.open[first].places.is_some();
        let mut numbers = Vec::new();
        let mut wanted = Vec::new();
        while let Some(&(_, number)) = self.bounds.peek() {
            let open = &mut self.open[number];
            let enough = if is_known {
                wanted.len() >= TOGETHER
            } else {
                numbers.len() >= self.looked_up
            };
            if open.places.is_some() != is_known || enough {
                break;
            }
            self.bounds.pop();
            numbers.push(number);
            if let Some(places) = &mut open.places {
                let rest = places.len().saturating_sub(open.step);
                wanted.extend(places.drain(rest..).map(|seq| (number, seq)));
                open.step = (open.step * 2).min(MOST_STEP);
            }
        }
        if is_known {
            return Next::LookAt(wanted);
        }
        self.looked_up = (self.looked_up * 4).min(MOST_LOOKED_UP);
        Next::LookUp(numbers)
    }

    /// The places in these conversations are known.
    pub(super) fn put(&mut self, numbers: &[usize], places: Vec<Vec<Seq>>) {
        for (&number, places) in numbers.iter().zip(places) {
            self.open[number].places = Some(places);
            self.back(number);
        }
    }

    /// These messages were looked at: what is left of their conversations is older than they are. Nothing is left where that
    /// is older than `since`.
    pub(super) fn looked_at(
        &mut self,
        wanted: &[(usize, Seq)],
        entries: &[Entry],
        since: Option<i64>,
    ) {
        for entry in entries {
            let Some(number) = self.number_of(&entry.conversation) else {
                continue;
            };
            let open = &mut self.open[number];
            open.bound = open.bound.min(entry.id);
            if since.is_some_and(|since| entry.created_at < since) {
                open.places = Some(Vec::new());
            }
        }
        for of_one in wanted.chunk_by(|(one, _), (other, _)| one == other) {
            self.back(of_one[0].0);
        }
    }

    fn back(&mut self, number: usize) {
        let open = &self.open[number];
        if open
            .places
            .as_ref()
            .is_some_and(|places| !places.is_empty())
        {
            self.bounds.push((open.bound, number));
        }
    }
}

#[cfg(test)]
mod tests {
    use lingxi_store::NewEntry;

    use super::*;

    fn conversations(times: &[i64]) -> Vec<Searchable> {
        let one = |(number, &last_time): (usize, &i64)| {
            let mut one = Searchable::default();
            one.conversation = format!("g:{number}");
            one.last_time = last_time;
            one
        };
        times.iter().enumerate().map(one).collect()
    }

    fn entry(number: usize, seq: Seq, id: i64) -> Entry {
        let conversation = format!("g:{number}");
        let new = NewEntry {
            conversation: &conversation,
            seq,
            id,
            created_at: id >> 12,
            ..NewEntry::default()
        };
        new.stored("alice", None)
    }

    #[test]
    fn the_newest_conversations_are_looked_at_first_and_no_further_than_needed() {
        let hour = 3_600_000;
        let times: Vec<i64> = (0..100).map(|number| (100 - number) * hour).collect();
        let all = conversations(&times);
        let mut places = Places::of(&all, &SearchQuery::default());
        let Next::LookUp(numbers) = places.next() else {
            panic!("nothing is known yet");
        };
        assert_eq!(numbers, (0..16).collect::<Vec<_>>());
        // Nothing in the first one.
        places.put(
            &numbers,
            (0..16)
                .map(|number| (1..=number.min(9)).collect())
                .collect(),
        );
        let Next::LookAt(wanted) = places.next() else {
            panic!("the next ones are known");
        };
        assert_eq!(wanted[..5], [(1, 1), (2, 1), (2, 2), (3, 1), (3, 2)]);
        assert_eq!(
            wanted[10..14],
            [(5, 2), (5, 3), (5, 4), (5, 5)],
            "the last four"
        );
        let entries: Vec<Entry> = wanted
            .iter()
            .map(|&(number, seq)| entry(number, seq, (times[number] << 12) - 100 + seq))
            .collect();
        places.looked_at(&wanted, &entries, None);
        // What is left of the fifth is older than what was looked at of it.
        assert_eq!(places.bound(), entries[10].id);
        let found: Vec<(usize, Entry)> = wanted
            .iter()
            .map(|(number, _)| *number)
            .zip(entries)
            .collect();
        assert_eq!(places.are_surely(&found), 14);
    }

    #[test]
    fn what_is_too_old_or_too_new_is_left_out() {
        let all = conversations(&[9_000_000, 5_000_000]);
        let query = SearchQuery {
            since: Some(6_000_000),
            until: Some(7_000_000),
            ..SearchQuery::default()
        };
        let mut places = Places::of(&all, &query);
        assert_eq!(places.bound(), behind(7_000_000));
        assert!(matches!(places.next(), Next::LookUp(numbers) if numbers == [0]));
        places.put(&[0], vec![(1..=9).collect()]);
        assert!(matches!(places.next(), Next::LookAt(wanted) if wanted.len() == 4));
        places.looked_at(&[(0, 6)], &[entry(0, 6, 5_000_000 << 12)], query.since);
        assert!(matches!(places.next(), Next::End));
        assert_eq!(places.bound(), 0);
    }
}
