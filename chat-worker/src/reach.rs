//! How far the entries of one partition were pushed for sure. The number is written into the lease: whoever owns the
//! partition next pushes again what is behind it, so it must never pass an entry that the bus may not have taken.

/// What is known about one partition.
#[derive(Debug, Default)]
pub(crate) struct Reach {
    upto: i64,
    doubts: u64,
    settled: u64,
}

/// How often something was in doubt so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Doubt(u64);

impl Reach {
    /// Everything up to this id was pushed.
    pub(crate) fn upto(&self) -> i64 {
        self.upto
    }

    /// A lease says that everything up to `id` was pushed.
    pub(crate) fn begin(&mut self, id: i64) {
        self.upto = self.upto.max(id);
    }

    /// The entries behind the ones before were pushed, up to `id`. While something before them is in doubt, that says
    /// nothing about all of them.
    pub(crate) fn pushed(&mut self, id: i64) {
        if self.in_doubt().is_none() {
            self.begin(id);
        }
    }

    /// Something behind [`Reach::upto`] may not have been pushed.
    pub(crate) fn doubt(&mut self) -> Doubt {
        self.doubts += 1;
        Doubt(self.doubts)
    }

    /// The latest doubt that is not settled.
    pub(crate) fn in_doubt(&self) -> Option<Doubt> {
        (self.settled < self.doubts).then_some(Doubt(self.doubts))
    }

    /// After `doubt`, everything from what was sure up to `id` was pushed again. Later doubts stay.
    pub(crate) fn settle(&mut self, doubt: Doubt, id: i64) {
        self.begin(id);
        self.settled = self.settled.max(doubt.0);
    }
}

#[cfg(test)]
mod tests {
    use super::Reach;

    #[test]
    fn what_is_pushed_behind_a_doubt_is_not_counted_until_it_is_settled() {
        let mut reach = Reach::default();
        reach.begin(10);
        reach.pushed(20);
        assert_eq!(reach.upto(), 20);
        let doubt = reach.doubt();
        reach.pushed(40);
        assert_eq!(reach.upto(), 20, "21 to 30 may not have arrived");
        assert_eq!(reach.in_doubt(), Some(doubt));
        reach.settle(doubt, 40);
        assert_eq!((reach.upto(), reach.in_doubt()), (40, None));
        reach.pushed(50);
        assert_eq!(reach.upto(), 50);
    }

    #[test]
    fn a_doubt_that_comes_while_another_is_settled_stays() {
        let mut reach = Reach::default();
        let first = reach.doubt();
        let second = reach.doubt();
        reach.settle(first, 30);
        assert_eq!((reach.upto(), reach.in_doubt()), (30, Some(second)));
        reach.pushed(50);
        assert_eq!(reach.upto(), 30);
        reach.settle(second, 45);
        assert_eq!((reach.upto(), reach.in_doubt()), (45, None));
    }
}
