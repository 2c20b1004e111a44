//! What users have reported.

pub(super) mod list;
