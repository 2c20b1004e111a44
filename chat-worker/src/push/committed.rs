//! What the sequencer hands over.

use crate::incoming::{Incoming, Outcome};

/// A batch and what became of it.
pub(crate) struct Committed {
    pub(crate) messages: Vec<Incoming>,
    /// One for each message.
    pub(crate) outcomes: Vec<Outcome>,
    /// The highest id that the batch gave out in each of its partitions.
    pub(crate) upto: Vec<(u16, i64)>,
    /// Partitions in which an earlier commit may have happened although it was not confirmed: its messages are repeats in
    /// this batch, and nobody has pushed them.
    pub(crate) unsure: Vec<u16>,
}
