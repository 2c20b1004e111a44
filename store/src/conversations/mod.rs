//! Conversations: their heads, their logs, and how far each member has got in them.

mod cursors;
mod entries;
mod heads;
mod reads;

pub use cursors::CursorMove;
pub use entries::{Entry, EntryKind, NewEntry, Repeat, RepeatKey};
pub use heads::{ConversationHead, ConversationRow, UserHead};
pub use reads::{ReadMark, ReadMove};
