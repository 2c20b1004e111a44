//! Judges what a device gets of one conversation over several connections.

use std::collections::BTreeSet;

/// What one received entry was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// New, and the next one; or what a pull was to bring.
    New,
    /// Had before and not confirmed, on another connection or since a pull: a server may repeat it.
    Again,
    /// Had before: confirmed long ago, or on this very connection.
    Repeated,
    /// Not the next one: it came too early, or late into a hole.
    OutOfOrder,
}

/// Where a device stands in one conversation.
#[derive(Debug)]
pub(super) struct Log {
    /// The lowest `seq` above all that came.
    next: u64,
    /// Everything up to here was confirmed, and the server had time to note it.
    confirmed: u64,
    /// What must come next on this connection; `None` before its first entry.
    here: Option<u64>,
    /// Numbers that were passed over without a word.
    missing: BTreeSet<u64>,
    /// Numbers that a `gap` announced, and a pull must bring.
    announced: BTreeSet<u64>,
    /// What the last pull named as had.
    pulled: Option<u64>,
}

impl Log {
    /// A jump so far ahead that the number itself is wrong is not remembered one by one.
    const HOLES: u64 = 100_000;

    /// A conversation of which `seq` came and is to be confirmed.
    pub(super) fn confirmed_at(seq: u64) -> Self {
        Self {
            next: seq + 1,
            confirmed: seq,
            here: Some(seq + 1),
            missing: BTreeSet::new(),
            announced: BTreeSet::new(),
            pulled: None,
        }
    }

    /// A new connection begins, which may repeat what was not confirmed.
    pub(super) fn reconnected(&mut self) {
        self.here = None;
        self.pulled = None;
    }

    /// Judges an entry.
    pub(super) fn observe(&mut self, seq: u64) -> Verdict {
        if self.announced.remove(&seq) {
            return Verdict::New;
        }
        let here = match self.here {
            Some(here) => here,
            None if seq <= self.confirmed => {
                self.here = Some(seq + 1);
                return Verdict::Repeated;
            }
            None => seq.min(self.next),
        };
        if seq < here {
            return if self.missing.remove(&seq) {
                Verdict::OutOfOrder
            } else if self.pulled.is_some_and(|cursor| seq > cursor) {
                Verdict::Again
            } else {
                Verdict::Repeated
            };
        }
        self.here = Some(seq + 1);
        if seq > here {
            self.pass_over(seq);
            return Verdict::OutOfOrder;
        }
        if self.missing.remove(&seq) {
            Verdict::OutOfOrder
        } else if seq < self.next {
            Verdict::Again
        } else {
            self.next = seq + 1;
            Verdict::New
        }
    }

    fn pass_over(&mut self, seq: u64) {
        if seq >= self.next {
            let known = seq.min(self.next + Self::HOLES);
            self.missing.extend(self.next..known);
            self.next = seq + 1;
        }
    }

    /// The server said that entries up to `last` were left out. Answers what to name as had in a pull; `None` when
    /// nothing is missing.
    pub(super) fn gap(&mut self, last: u64) -> Option<u64> {
        if last >= self.next {
            let known = (last + 1).min(self.next + Self::HOLES);
            self.announced.extend(self.next..known);
            self.next = last + 1;
        }
        self.here = Some(self.here.map_or(last + 1, |here| here.max(last + 1)));
        let cursor = self.announced.first()?.checked_sub(1)?;
        self.pulled = Some(self.pulled.map_or(cursor, |before| before.min(cursor)));
        Some(cursor)
    }

    /// Up to where everything was confirmed.
    pub(super) fn confirmed(&self) -> u64 {
        self.confirmed
    }

    /// How many numbers never came.
    pub(super) fn holes(&self) -> usize {
        self.missing.len() + self.announced.len()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Log,
        Verdict::{Again, New, OutOfOrder, Repeated},
    };

    fn observe<const N: usize>(log: &mut Log, seqs: [u64; N]) -> [super::Verdict; N] {
        seqs.map(|seq| log.observe(seq))
    }

    #[test]
    fn one_connection_is_strict() {
        let mut log = Log::confirmed_at(4);
        assert_eq!(
            observe(&mut log, [5, 6, 6, 4]),
            [New, New, Repeated, Repeated]
        );
        assert_eq!(observe(&mut log, [8, 7, 9]), [OutOfOrder, OutOfOrder, New]);
        assert_eq!(log.holes(), 0);
        assert_eq!(log.observe(11), OutOfOrder);
        assert_eq!(log.holes(), 1);
    }

    #[test]
    fn a_new_connection_may_repeat_what_was_not_confirmed_in_order() {
        let mut log = Log::confirmed_at(4);
        assert_eq!(observe(&mut log, [5, 6, 7]), [New, New, New]);
        log.reconnected();
        assert_eq!(observe(&mut log, [6, 7, 8]), [Again, Again, New]);
        log.reconnected();
        assert_eq!(
            observe(&mut log, [5, 7, 9]),
            [Again, OutOfOrder, OutOfOrder]
        );
        assert_eq!(log.holes(), 0, "6, which it passed over, came before");
    }

    #[test]
    fn a_new_connection_may_neither_repeat_what_was_confirmed_nor_leave_anything_out() {
        let mut log = Log::confirmed_at(4);
        log.reconnected();
        assert_eq!(observe(&mut log, [4, 5, 6]), [Repeated, New, New]);
        log.reconnected();
        assert_eq!(log.observe(8), OutOfOrder);
        assert_eq!(log.holes(), 1);
    }

    #[test]
    fn an_announced_gap_is_pulled_while_the_live_stream_goes_on() {
        let mut log = Log::confirmed_at(4);
        log.reconnected();
        assert_eq!(log.observe(5), New);
        assert_eq!(log.gap(9), Some(5));
        assert_eq!(observe(&mut log, [10, 6, 7]), [New, New, New]);
        assert_eq!(log.gap(10), Some(7), "the pull was cut short");
        assert_eq!(observe(&mut log, [8, 9, 10, 11]), [New, New, Again, New]);
        assert_eq!(log.holes(), 0);
        assert_eq!(log.observe(5), Repeated, "it was named as had");
        assert_eq!(log.gap(11), None);
    }
}
