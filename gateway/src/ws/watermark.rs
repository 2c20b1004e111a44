//! A watermark: how far one connection has one conversation.

use lingxi_domain::Seq;

/// What this connection was sent of one conversation, and what its client confirmed.
///
/// A *run* is a stretch of entries without a hole. Only confirmed runs move the cursor, each from its first entry, so
/// the cursor never passes an entry that was not sent here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Watermark {
    /// The first entry of the present run.
    first: Seq,
    /// The last entry queued; the next in order is `sent + 1`. `first - 1` while the run is empty.
    sent: Seq,
    /// The first entry written to the socket that no Ping covers yet; 0 for none.
    unpinged: Seq,
    /// The last entry written to the socket.
    written: Seq,
    /// The last entry that the client confirmed; below `first` when none of the run was.
    confirmed: Seq,
    /// Whether `first` is only assumed: the entry came live, of a conversation whose cursor stood at its head when the
    /// connection synced. An entry that others wrote may have overtaken the ones before it.
    assumed: bool,
}

/// How a written entry stands to those that no Ping covers yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrote {
    /// It is the first of them.
    First,
    /// It adjoins them.
    More,
    /// It does not adjoin them: they, from and to, are confirmed apart from it.
    Apart(Seq, Seq),
}

/// What to do with an entry that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It is next: queue it.
    Next,
    /// It was queued before.
    Duplicate,
    /// Entries before it are missing: get them from the store.
    Hole,
}

impl Watermark {
    /// A run that begins at `first`.
    pub(crate) fn starting_at(first: Seq) -> Self {
        Self {
            first,
            sent: first - 1,
            unpinged: 0,
            written: 0,
            confirmed: 0,
            assumed: false,
        }
    }

    /// A run that is assumed to begin at `first`, the first entry that came live.
    pub(crate) fn assumed_at(first: Seq) -> Self {
        Self {
            assumed: true,
            ..Self::starting_at(first)
        }
    }

    /// Judges an arriving entry, and counts it as queued when it is next.
    pub(crate) fn arrive(&mut self, seq: Seq) -> Step {
        if self.assumed && seq < self.first {
            Step::Hole
        } else if seq <= self.sent {
            Step::Duplicate
        } else if seq == self.sent + 1 {
            self.sent = seq;
            Step::Next
        } else {
            Step::Hole
        }
    }

    /// The last entry queued.
    pub(crate) fn sent(&self) -> Seq {
        self.sent
    }

    /// Begins another run behind a stretch that is not pushed here. What was written and not yet covered by a Ping is
    /// confirmed apart from the new run: see [`Watermark::wrote`].
    pub(crate) fn restart_at(&mut self, first: Seq) {
        let (unpinged, written) = (self.unpinged, self.written);
        *self = Self {
            unpinged,
            written,
            ..Self::starting_at(first)
        };
    }

    /// An entry was written to the socket.
    pub(crate) fn wrote(&mut self, seq: Seq) -> Wrote {
        let wrote = match self.unpinged {
            0 => Wrote::First,
            from if seq != self.written + 1 => Wrote::Apart(from, self.written),
            _ => Wrote::More,
        };
        if wrote != Wrote::More {
            self.unpinged = seq;
        }
        self.written = seq;
        wrote
    }

    /// What was written since the last Ping, which the next Ping covers.
    pub(crate) fn take_unpinged(&mut self) -> Option<(Seq, Seq)> {
        let from = std::mem::take(&mut self.unpinged);
        (from > 0).then_some((from, self.written))
    }

    /// The client confirmed everything up to `to`.
    pub(crate) fn confirm(&mut self, to: Seq) {
        if to >= self.first {
            self.confirmed = self.confirmed.max(to.min(self.sent));
        }
    }

    /// Where the stored cursor stands behind what this client confirmed: the run's confirmed part, to be said again.
    pub(crate) fn confirmed_beyond(&self, delivered: Seq) -> Option<(Seq, Seq)> {
        (self.confirmed > delivered && self.first <= delivered + 1)
            .then_some((self.first, self.confirmed))
    }

    /// The stored cursor stands at `delivered`: where the run was assumed to begin later than right behind it, the entries
    /// in between never came, and the run begins anew.
    pub(crate) fn correct(&mut self, delivered: Seq) {
        if self.assumed && self.first > delivered + 1 {
            self.restart_at(delivered + 1);
        }
    }

    /// Returns true if all that was sent is confirmed, so that nothing is lost when this is forgotten: the next entry is
    /// taken for the next one again, and a comparison corrects that.
    pub(crate) fn is_settled(&self) -> bool {
        self.confirmed == self.sent && self.unpinged == 0 && !self.is_empty()
    }

    /// Returns true if nothing of the present run was sent: it begins behind a gap, or was not needed.
    pub(crate) fn is_empty(&self) -> bool {
        self.sent < self.first
    }

    /// Whether this very entry was written in the present run.
    pub(crate) fn has_written(&self, seq: Seq) -> bool {
        (self.first..=self.written).contains(&seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_next_entry_is_taken() {
        let mut p = Watermark::starting_at(5);
        assert_eq!(p.arrive(6), Step::Hole);
        assert_eq!(p.arrive(5), Step::Next);
        assert_eq!(p.arrive(5), Step::Duplicate);
        assert_eq!(p.arrive(4), Step::Duplicate);
        assert_eq!(p.arrive(6), Step::Next);
    }

    #[test]
    fn a_ping_covers_what_was_written_before_it_only() {
        let mut p = Watermark::starting_at(1);
        for seq in 1..=3 {
            p.arrive(seq);
        }
        assert_eq!(p.wrote(1), Wrote::First);
        assert_eq!(p.wrote(2), Wrote::More);
        assert_eq!(p.take_unpinged(), Some((1, 2)));
        assert_eq!(p.wrote(3), Wrote::First);
        assert_eq!(p.take_unpinged(), Some((3, 3)));
        assert_eq!(p.take_unpinged(), None);
    }

    #[test]
    fn a_run_behind_a_gap_is_confirmed_apart() {
        let mut p = Watermark::starting_at(1);
        p.arrive(1);
        p.restart_at(10);
        assert_eq!(p.arrive(10), Step::Next);
        assert_eq!(
            p.wrote(1),
            Wrote::First,
            "queued before the gap, written behind it"
        );
        assert_eq!(p.wrote(10), Wrote::Apart(1, 1));
        assert_eq!(p.take_unpinged(), Some((10, 10)));
        p.confirm(1);
        assert_eq!(
            p.confirmed_beyond(0),
            None,
            "the former run is not part of this one"
        );
        p.confirm(10);
        assert_eq!(
            p.confirmed_beyond(5),
            None,
            "the cursor may not pass 6 to 9"
        );
        assert_eq!(
            p.confirmed_beyond(9),
            Some((10, 10)),
            "once the client has pulled them it may"
        );
    }

    #[test]
    fn an_entry_that_was_overtaken_is_a_hole_and_is_made_up_for() {
        let mut p = Watermark::assumed_at(8);
        assert_eq!(p.arrive(8), Step::Next);
        assert_eq!(p.arrive(7), Step::Hole, "never sent here");
        p.correct(7);
        assert_eq!(p.sent(), 8, "the assumption was right");
        p.correct(5);
        assert_eq!(p.arrive(6), Step::Next);
        assert_eq!(p.arrive(6), Step::Duplicate);
        let mut known = Watermark::starting_at(8);
        assert_eq!(
            known.arrive(7),
            Step::Duplicate,
            "behind a gap that was told, or the stored cursor"
        );
    }
}
