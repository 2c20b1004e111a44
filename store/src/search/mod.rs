//! The index of messages: which of a conversation's may have a word, found by the keys of [`lingxi_domain::search`].
//!
//! Each conversation has an index of its own, so that a search reads nothing of others', and a chat worker writes to those
//! whose messages it commits. New postings go into a small block; when it is full it is merged with a segment eight times
//! as large, and so on (a log-structured merge tree, whose segments are cut into buckets by their keys' first bits). A look-up
//! is one row a segment. An index may name too many messages, never too few: what it names is looked at.

mod block;
mod find;
mod segments;
mod state;
mod write;

pub use find::Searchable;
pub use state::Unindexed;
pub use write::IndexPart;
