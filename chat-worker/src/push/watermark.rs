//! How far the entries of a partition were pushed for sure. The number is written into the lease: whoever owns the
//! partition next pushes again what is after it, so it must never pass an entry that the bus may not have taken.

use std::sync::Arc;

use parking_lot::Mutex;

/// What is known about one partition.
#[derive(Debug, Default)]
struct Watermark {
    pushed: i64,
    committed: i64,
    doubts: u64,
    settled: u64,
}

impl Watermark {
    fn assign(&mut self, pushed: i64, committed: i64) {
        self.pushed = self.pushed.max(pushed);
        self.committed = self.committed.max(committed);
    }

    /// While something before `id` is in doubt, pushing up to it says nothing about all of them.
    fn advance(&mut self, id: i64) {
        if !self.in_doubt() {
            self.pushed = self.pushed.max(id);
        }
    }

    fn in_doubt(&self) -> bool {
        self.settled < self.doubts
    }

    fn settle(&mut self, range: &Unsure) {
        self.pushed = self.pushed.max(range.upto);
        self.settled = self.settled.max(range.doubt);
    }
}

/// Entries of one partition that may not have been pushed: those with `after < id <= upto`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unsure {
    pub(super) partition: u16,
    pub(super) after: i64,
    pub(super) upto: i64,
    doubt: u64,
}

/// The watermarks of all partitions.
#[derive(Clone)]
pub(super) struct Watermarks(Arc<[Mutex<Watermark>]>);

impl Watermarks {
    pub(super) fn new(partitions: u16) -> Self {
        Self((0..partitions).map(|_| Mutex::default()).collect())
    }

    /// Everything of the partition up to this id was pushed. It never goes back.
    pub(super) fn pushed(&self, partition: u16) -> i64 {
        self.with(partition, |mark| mark.pushed)
    }

    /// As a lease has it: everything up to `pushed` was pushed, and what is after that up to `committed` may not have been.
    /// Returns true if there is any.
    pub(super) fn assign(&self, partition: u16, pushed: i64, committed: i64) -> bool {
        self.with(partition, |mark| {
            mark.assign(pushed, committed);
            let unsure = mark.pushed < committed;
            mark.doubts += u64::from(unsure);
            unsure
        })
    }

    /// Entries up to `id` are committed, and will be pushed.
    pub(super) fn commit(&self, partition: u16, id: i64) {
        self.with(partition, |mark| mark.committed = mark.committed.max(id));
    }

    /// The entries up to `id` that follow those before were pushed.
    pub(super) fn advance(&self, partition: u16, id: i64) {
        self.with(partition, |mark| mark.advance(id));
    }

    /// Something after the watermark may not have been pushed: it stays until that is settled.
    pub(super) fn doubt(&self, partition: u16) {
        self.with(partition, |mark| mark.doubts += 1);
    }

    /// What may not have been pushed, of all partitions.
    pub(super) fn unsure(&self) -> Vec<Unsure> {
        let unsure = |(partition, mark): (u16, &Mutex<Watermark>)| {
            let mark = mark.lock();
            mark.in_doubt().then_some(Unsure {
                partition,
                after: mark.pushed,
                upto: mark.committed,
                doubt: mark.doubts,
            })
        };
        (0..).zip(self.0.iter()).filter_map(unsure).collect()
    }

    /// All of `range` was pushed again. What came into doubt after it was asked for stays in doubt.
    pub(super) fn settle(&self, range: &Unsure) {
        self.with(range.partition, |mark| mark.settle(range));
    }

    fn with<T: Default>(&self, partition: u16, act: impl FnOnce(&mut Watermark) -> T) -> T {
        let mark = self.0.get(usize::from(partition));
        mark.map_or_else(T::default, |mark| act(&mut mark.lock()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(marks: &Watermarks) -> Unsure {
        let mut unsure = marks.unsure();
        assert_eq!(unsure.len(), 1, "{unsure:?}");
        unsure.remove(0)
    }

    #[test]
    fn what_is_pushed_after_a_doubt_is_not_counted_until_it_is_settled() {
        let marks = Watermarks::new(1);
        assert!(!marks.assign(0, 10, 10));
        marks.commit(0, 20);
        marks.advance(0, 20);
        assert_eq!(marks.pushed(0), 20);
        marks.commit(0, 40);
        marks.doubt(0);
        marks.advance(0, 40);
        assert_eq!(marks.pushed(0), 20, "21 to 30 may not have arrived");
        let unsure = one(&marks);
        assert_eq!((unsure.after, unsure.upto), (20, 40));
        marks.settle(&unsure);
        assert_eq!((marks.pushed(0), marks.unsure()), (40, vec![]));
        marks.advance(0, 50);
        assert_eq!(marks.pushed(0), 50);
    }

    #[test]
    fn a_doubt_that_comes_while_another_is_settled_stays() {
        let marks = Watermarks::new(1);
        marks.commit(0, 30);
        marks.doubt(0);
        let first = one(&marks);
        marks.commit(0, 45);
        marks.doubt(0);
        marks.settle(&first);
        let second = one(&marks);
        assert_eq!((marks.pushed(0), second.after, second.upto), (30, 30, 45));
        marks.advance(0, 50);
        assert_eq!(marks.pushed(0), 30);
        marks.settle(&second);
        assert_eq!((marks.pushed(0), marks.unsure()), (45, vec![]));
    }

    #[test]
    fn what_a_former_owner_left_is_in_doubt_and_a_watermark_never_goes_back() {
        let marks = Watermarks::new(2);
        assert!(marks.assign(1, 10, 30));
        let unsure = one(&marks);
        assert_eq!((unsure.partition, unsure.after, unsure.upto), (1, 10, 30));
        marks.settle(&unsure);
        assert!(!marks.assign(1, 20, 30), "it was pushed here meanwhile");
        assert_eq!((marks.pushed(1), marks.unsure()), (30, vec![]));
    }
}
