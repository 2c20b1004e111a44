//! Conversations: their heads, their logs, and how far each member has got in them.

mod cursors;
mod entries;
mod heads;
mod pages;
mod reads;
mod unconfirmed;

pub use cursors::CursorMove;
pub use entries::{Entry, EntryKind, NewEntry, Repeat, RepeatKey};
pub use heads::{ConversationHead, ConversationRow};
pub use pages::{Bounds, Excerpt};
pub use reads::{ReadMark, ReadMove};
pub use unconfirmed::{Unconfirmed, UserHead};
