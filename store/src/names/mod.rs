//! Names as they are found: their keys, the parts that a search reads, and how both come to rows that have none yet.

mod fill;
mod index;
mod scan;

pub use scan::Page;

pub(crate) use index::{Kind, folded, index, reindex};
pub(crate) use scan::Scan;
