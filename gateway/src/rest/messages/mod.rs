//! Conversations and what was said in them.

pub(super) mod conversations;
pub(super) mod history;
pub(super) mod read;
pub(super) mod recall;
