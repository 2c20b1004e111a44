//! What is kept of some bytes.

use std::borrow::Cow;

/// Pieces of one file at most: more of them is no picture but an attempt to fill the memory.
const MOST: usize = 16 * 1024;

/// Pieces of some bytes, and what was put between them.
#[derive(Debug)]
pub(crate) struct Kept<'a> {
    source: &'a [u8],
    pieces: Vec<Cow<'a, [u8]>>,
    /// The last piece, which may still grow.
    open: (usize, usize),
}

impl<'a> Kept<'a> {
    pub(super) fn of(source: &'a [u8]) -> Self {
        Self {
            source,
            pieces: Vec::new(),
            open: (0, 0),
        }
    }

    /// Keeps the bytes from `first` on, up to `end`; `None` where there are not so many, or too many pieces.
    pub(super) fn keep(&mut self, first: usize, end: usize) -> Option<()> {
        self.source.get(first..end)?;
        if first == self.open.1 && self.open.0 < self.open.1 {
            self.open.1 = end;
            return Some(());
        }
        self.close()?;
        self.open = (first, end);
        Some(())
    }

    /// Puts these bytes behind what was kept so far.
    pub(super) fn put(&mut self, bytes: Vec<u8>) -> Option<()> {
        self.close()?;
        self.pieces.push(Cow::Owned(bytes));
        Some(())
    }

    /// Nothing comes behind it.
    pub(super) fn end(mut self) -> Option<Self> {
        self.close()?;
        Some(self)
    }

    fn close(&mut self) -> Option<()> {
        let (first, end) = std::mem::take(&mut self.open);
        if first < end {
            self.pieces.push(Cow::Borrowed(&self.source[first..end]));
        }
        (self.pieces.len() <= MOST).then_some(())
    }

    /// Its pieces, in their order.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.pieces.iter().map(Cow::as_ref)
    }

    /// The bytes of all of them.
    pub(super) fn len(&self) -> usize {
        self.pieces().map(<[u8]>::len).sum()
    }

    /// The first bytes that were put.
    pub(super) fn first_mut(&mut self) -> Option<&mut Vec<u8>> {
        self.pieces.first_mut().map(Cow::to_mut)
    }
}
