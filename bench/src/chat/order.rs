//! Judges what a socket receives: everything once, in order, without holes.

use std::collections::BTreeSet;

/// What one received message was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The next one.
    InOrder,
    /// Seen before.
    Repeated,
    /// Not the next one: it came too early, or late into a hole.
    OutOfOrder,
}

/// Checks that `seq` rises by exactly one, from 1 unless said otherwise.
#[derive(Debug)]
pub struct Dense {
    next: u64,
    missing: BTreeSet<u64>,
}

impl Default for Dense {
    fn default() -> Self {
        Self::starting_at(1)
    }
}

impl Dense {
    /// A jump so far ahead that the number itself is wrong is not remembered as holes one by one.
    const HOLES: u64 = 100_000;

    /// A check that expects `first` first: of a conversation that is not new.
    #[must_use]
    pub fn starting_at(first: u64) -> Self {
        Self {
            next: first,
            missing: BTreeSet::new(),
        }
    }

    /// Judges the next `seq` of a conversation, as a socket saw it.
    pub fn observe(&mut self, seq: u64) -> Verdict {
        if seq == self.next {
            self.next += 1;
            return Verdict::InOrder;
        }
        if seq > self.next {
            self.missing
                .extend(self.next..seq.min(self.next + Self::HOLES));
            self.next = seq + 1;
            return Verdict::OutOfOrder;
        }
        if self.missing.remove(&seq) {
            Verdict::OutOfOrder
        } else {
            Verdict::Repeated
        }
    }

    /// How many numbers below the highest were never seen.
    #[must_use]
    pub fn holes(&self) -> usize {
        self.missing.len()
    }
}

/// A set of small numbers, one bit each.
#[derive(Debug, Default)]
pub struct Bits {
    words: Vec<u64>,
    count: usize,
}

impl Bits {
    /// Adds `number`; `false` when it was in already.
    pub fn insert(&mut self, number: u32) -> bool {
        let (word, bit) = (number as usize / 64, 1_u64 << (number % 64));
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        self.count += usize::from(new);
        new
    }

    /// Whether `number` is in it.
    #[must_use]
    pub fn contains(&self, number: u32) -> bool {
        let word = self.words.get(number as usize / 64);
        word.is_some_and(|word| word & (1 << (number % 64)) != 0)
    }

    /// How many numbers are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether no number is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many numbers of this set are not in `other`.
    #[must_use]
    pub fn missing_from(&self, other: &Self) -> usize {
        let theirs = other.words.iter().copied().chain(std::iter::repeat(0));
        self.words
            .iter()
            .zip(theirs)
            .map(|(mine, theirs)| (mine & !theirs).count_ones() as usize)
            .sum()
    }
}

/// Checks that a sender's own numbering arrives rising, each once. Holes are left to [`Bits::missing_from`]: a message that
/// the server refused leaves one rightly.
#[derive(Debug, Default)]
pub struct Rising {
    seen: Bits,
    next: u32,
}

impl Rising {
    /// Judges the sender's number of a received message.
    pub fn observe(&mut self, number: u32) -> Verdict {
        if !self.seen.insert(number) {
            return Verdict::Repeated;
        }
        if number < self.next {
            return Verdict::OutOfOrder;
        }
        self.next = number.saturating_add(1);
        Verdict::InOrder
    }

    /// The numbers that came.
    #[must_use]
    pub fn seen(&self) -> &Bits {
        &self.seen
    }
}

#[cfg(test)]
mod tests {
    use super::{Bits, Dense, Rising, Verdict};

    #[test]
    fn a_dense_run_is_in_order() {
        let mut check = Dense::default();
        assert!((1..=100).all(|seq| check.observe(seq) == Verdict::InOrder));
        assert_eq!(check.holes(), 0);
    }

    #[test]
    fn a_swap_is_out_of_order_and_leaves_no_hole() {
        let mut check = Dense::default();
        let verdicts: Vec<_> = [1, 3, 2, 4]
            .into_iter()
            .map(|seq| check.observe(seq))
            .collect();
        assert_eq!(
            verdicts,
            [
                Verdict::InOrder,
                Verdict::OutOfOrder,
                Verdict::OutOfOrder,
                Verdict::InOrder
            ]
        );
        assert_eq!(check.holes(), 0);
    }

    #[test]
    fn a_lost_one_leaves_a_hole_and_a_repeat_is_a_repeat() {
        let mut check = Dense::default();
        let verdicts: Vec<_> = [1, 2, 4, 4, 1]
            .into_iter()
            .map(|seq| check.observe(seq))
            .collect();
        assert_eq!(
            verdicts,
            [
                Verdict::InOrder,
                Verdict::InOrder,
                Verdict::OutOfOrder,
                Verdict::Repeated,
                Verdict::Repeated
            ]
        );
        assert_eq!(check.holes(), 1);
    }

    #[test]
    fn a_log_that_does_not_begin_at_one_has_a_hole() {
        let mut check = Dense::default();
        assert_eq!(check.observe(2), Verdict::OutOfOrder);
        assert_eq!(check.holes(), 1);
        assert_eq!(Dense::default().observe(0), Verdict::Repeated);
    }

    #[test]
    fn lost_is_acknowledged_and_never_received() {
        let (mut acked, mut received) = (Bits::default(), Bits::default());
        for number in 0..200 {
            acked.insert(number);
            if number != 70 && number != 199 {
                received.insert(number);
            }
        }
        received.insert(500);
        assert!(received.contains(500) && !received.contains(70) && !received.contains(9999));
        assert_eq!(acked.missing_from(&received), 2);
        assert_eq!(acked.missing_from(&acked), 0);
        assert_eq!(Bits::default().missing_from(&received), 0);
    }

    #[test]
    fn a_senders_numbers_rise() {
        let mut check = Rising::default();
        let verdicts: Vec<_> = [0, 1, 3, 2, 3, 4]
            .into_iter()
            .map(|number| check.observe(number))
            .collect();
        use Verdict::{InOrder, OutOfOrder, Repeated};
        assert_eq!(
            verdicts,
            [InOrder, InOrder, InOrder, OutOfOrder, Repeated, InOrder]
        );
    }
}
