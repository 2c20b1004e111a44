//! How long reading may take, and how many may search.

use std::time::Duration;

/// The longest that a statement which only reads may take.
pub(crate) const READ_LIMIT: Duration = Duration::from_secs(8);
/// The longest that a search may take, and may wait for its turn.
pub(crate) const SEARCH_LIMIT: Duration = Duration::from_secs(2);
/// Searches at once, in each process.
pub(crate) const SEARCHES: usize = 2;
