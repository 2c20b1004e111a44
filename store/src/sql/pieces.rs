//! Statements of few sizes: what is longer is cut into pieces.

use super::{Dialect, Value};

/// Rows a multi-row statement may have: few sizes, so that few texts are prepared.
const SQLITE_CHUNKS: &[usize] = &[128, 32, 8, 1];
/// A statement is a round trip here, so that there are more and larger ones.
const MYSQL_CHUNKS: &[usize] = &[512, 256, 128, 64, 32, 16, 8, 4, 2, 1];
/// Lengths of lists of keys: one that is shorter is filled up.
const MYSQL_LISTS: &[usize] = &[1, 4, 16, 64, 256, 512];

impl Dialect {
    /// Cuts `items` into pieces of the sizes that INSERTs are prepared for.
    pub(crate) fn chunks<T>(self, mut items: &[T]) -> impl Iterator<Item = &[T]> {
        let sizes = match self {
            Self::Sqlite => SQLITE_CHUNKS,
            Self::MySql => MYSQL_CHUNKS,
        };
        std::iter::from_fn(move || {
            let size = *sizes.iter().find(|&&size| size <= items.len())?;
            let (piece, rest) = items.split_at(size);
            items = rest;
            Some(piece)
        })
    }

    /// Cuts keys into the arguments of `IN (…)`, in their order and of the lengths that statements are prepared for. A key
    /// may stand in one more than once.
    pub(crate) fn lists<'a, T: Copy + Into<Value<'a>>>(
        self,
        mut keys: &[T],
    ) -> impl Iterator<Item = Vec<Value<'a>>> {
        std::iter::from_fn(move || {
            let last = *keys.last()?;
            let (taken, length) = match self {
                Self::Sqlite => SQLITE_CHUNKS
                    .iter()
                    .find(|&&size| size <= keys.len())
                    .map(|&size| (size, size))?,
                Self::MySql => MYSQL_LISTS
                    .iter()
                    .find(|&&size| size >= keys.len())
                    .map_or((512, 512), |&size| (keys.len(), size)),
            };
            let (piece, rest) = keys.split_at(taken);
            keys = rest;
            let fill = std::iter::repeat_n(last, length - taken);
            Some(piece.iter().copied().chain(fill).map(Into::into).collect())
        })
    }

    /// Cuts `items` into pieces for [`Self::with_values`] and [`Self::update_from_values`].
    pub(crate) fn value_chunks<T>(self, mut items: &[T]) -> impl Iterator<Item = &[T]> {
        std::iter::from_fn(move || {
            let size = match self {
                Self::Sqlite => *SQLITE_CHUNKS.iter().find(|&&size| size <= items.len())?,
                // One text serves any number of rows.
                Self::MySql if items.is_empty() => return None,
                Self::MySql => items.len().min(1024),
            };
            let (piece, rest) = items.split_at(size);
            items = rest;
            Some(piece)
        })
    }
}
