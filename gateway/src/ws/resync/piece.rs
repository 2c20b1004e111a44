//! What is read and handed out at once: as much of a round as fits the memory, whatever the entries' sizes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use lingxi_domain::Seq;

use crate::ws::session::{Plan, Session};

/// A piece is full from this many entries on: 16 MiB of the largest frames, and with the session that fills it little
/// more. A round whose sessions miss a handful each is one piece.
const ENTRIES: i64 = 1024;

/// Sessions of one round, with what each is to be brought.
#[derive(Default)]
pub(super) struct Piece<'a> {
    pub(super) plans: Vec<(&'a Arc<Session>, Plan)>,
    /// How many entries are to be read.
    entries: i64,
    /// The stretch of each conversation that is counted in `entries`.
    counted: HashMap<String, (Seq, Seq)>,
}

impl<'a> Piece<'a> {
    pub(super) fn add(&mut self, session: &'a Arc<Session>, plan: Plan) {
        for (conversation, first, last) in &plan.ranges {
            self.entries += self.grow(conversation, *first, *last);
        }
        self.plans.push((session, plan));
    }

    pub(super) fn is_full(&self) -> bool {
        self.entries >= ENTRIES
    }

    /// What is to be read, in order; ranges that overlap or adjoin are one.
    pub(super) fn ranges(&self) -> Vec<(&str, Seq, Seq)> {
        let mut ranges: Vec<(&str, Seq, Seq)> = self
            .plans
            .iter()
            .flat_map(|(_, plan)| &plan.ranges)
            .map(|(conversation, first, last)| (conversation.as_str(), *first, *last))
            .collect();
        ranges.sort_unstable();
        merged(ranges)
    }

    /// How many entries of the range are not counted yet: many members of one group miss much the same. One that lies
    /// apart from what is counted is counted whole each time; that happens, and cuts a piece early.
    fn grow(&mut self, conversation: &str, first: Seq, last: Seq) -> i64 {
        match self.counted.entry(conversation.to_owned()) {
            Entry::Occupied(mut counted) => {
                let (from, upto) = *counted.get();
                if first > upto + 1 || last < from - 1 {
                    return last - first + 1;
                }
                let (from_now, upto_now) = (from.min(first), upto.max(last));
                counted.insert((from_now, upto_now));
                (from - from_now) + (upto_now - upto)
            }
            Entry::Vacant(new) => {
                new.insert((first, last));
                last - first + 1
            }
        }
    }
}

/// Sorted ranges with those that overlap or adjoin made one.
fn merged(ranges: Vec<(&str, Seq, Seq)>) -> Vec<(&str, Seq, Seq)> {
    let mut merged: Vec<(&str, Seq, Seq)> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if last.0 == range.0 && range.1 <= last.2 + 1 => {
                last.2 = last.2.max(range.2)
            }
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Arc<Session> {
        crate::ws::tests::session(1)
    }

    fn plan(conversation: &str, first: Seq, last: Seq) -> Plan {
        let mut plan = Plan::default();
        plan.ranges.push((conversation.to_owned(), first, last));
        plan
    }

    #[test]
    fn overlapping_ranges_are_read_once() {
        let ranges = vec![
            ("g:1", 1, 5),
            ("g:1", 3, 8),
            ("g:1", 9, 9),
            ("g:1", 11, 12),
            ("g:2", 1, 2),
        ];
        assert_eq!(
            merged(ranges),
            [("g:1", 1, 9), ("g:1", 11, 12), ("g:2", 1, 2)]
        );
    }

    #[test]
    fn a_piece_is_full_by_what_is_read_not_by_who_gets_it() {
        let session = session();
        let mut of_one_group = Piece::default();
        for first in (1..=100).rev().cycle().take(256) {
            of_one_group.add(&session, plan("g:1", first, 100));
        }
        assert_eq!(of_one_group.entries, 100);
        assert!(!of_one_group.is_full());

        let mut of_many = Piece::default();
        let added = (1..=100).find(|number| {
            of_many.add(&session, plan(&format!("g:{number}"), 1, 100));
            of_many.is_full()
        });
        assert_eq!(added, Some(11));
        let read = of_many
            .ranges()
            .into_iter()
            .map(|(_, first, last)| last - first + 1);
        assert_eq!(read.sum::<i64>(), of_many.entries);
    }

    #[test]
    fn no_range_is_left_uncounted() {
        let session = session();
        let mut piece = Piece::default();
        for (first, last) in [(50, 60), (40, 49), (1, 5), (58, 70), (90, 91), (41, 42)] {
            piece.add(&session, plan("g:1", first, last));
        }
        assert_eq!(
            piece.ranges(),
            [("g:1", 1, 5), ("g:1", 40, 70), ("g:1", 90, 91)]
        );
        assert_eq!(piece.entries, 38);
    }
}
