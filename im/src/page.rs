//! Pages of lists.

use lingxi_domain::limits;
use serde::Serialize;

/// Which part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<C> {
    /// What comes behind this row; from the beginning where there is none.
    pub after: Option<C>,
    /// Rows; [`limits::DEFAULT_PAGE`] when nothing is said, no more than [`limits::MAX_PAGE`].
    pub limit: Option<i64>,
}

impl<C> Default for Page<C> {
    fn default() -> Self {
        Self {
            after: None,
            limit: None,
        }
    }
}

impl<C> Page<C> {
    pub(crate) fn rows(&self) -> i64 {
        let asked = self.limit.unwrap_or(limits::DEFAULT_PAGE);
        asked.clamp(1, limits::MAX_PAGE)
    }
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Whether more come behind the last one.
    pub has_more: bool,
}

impl<T: Serialize> Listed<T> {
    /// The first `rows` of these, or fewer: a page ends at [`limits::MAX_PAGE_BYTES`] of JSON, but has one row at least.
    pub(crate) fn fitting(found: impl IntoIterator<Item = T>, rows: i64) -> Self {
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        let (mut items, mut bytes) = (Vec::new(), 0);
        for item in found {
            bytes += serde_json::to_string(&item).map_or(0, |json| json.len() + 1);
            let too_long = bytes > limits::MAX_PAGE_BYTES && !items.is_empty();
            if items.len() >= rows || too_long {
                return Self {
                    items,
                    has_more: true,
                };
            }
            items.push(item);
        }
        Self {
            items,
            has_more: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_at_its_rows_or_at_a_mebibyte_of_json() {
        let rows = |count: usize, text: &str| vec![text.to_owned(); count];
        let page = Listed::fitting(rows(3, "a"), 3);
        assert_eq!((page.items.len(), page.has_more), (3, false));
        let page = Listed::fitting(rows(4, "a"), 3);
        assert_eq!((page.items.len(), page.has_more), (3, true));
        // Each of these is six bytes when it is written.
        let page = Listed::fitting(rows(200, &"\u{1}".repeat(10_000)), 200);
        assert!(page.has_more);
        let json = serde_json::to_string(&page.items).unwrap();
        assert!(json.len() <= limits::MAX_PAGE_BYTES && page.items.len() == 17);
        let page = Listed::fitting(rows(2, &"a".repeat(2 << 20)), 5);
        assert_eq!((page.items.len(), page.has_more), (1, true), "never stuck");
    }
}
