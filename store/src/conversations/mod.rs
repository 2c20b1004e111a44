//! Conversations: their heads, their logs, and how far each member has got in them.

mod cursors;
mod entries;
mod entry;
mod heads;
mod mentions;
mod pages;
mod reactions;
mod reads;
mod repeats;
mod standing;
mod unconfirmed;

pub use cursors::CursorMove;
pub use entry::{Entry, EntryKind, NewEntry};
pub use heads::{ConversationHead, ConversationRow};
pub use mentions::Mention;
pub use pages::{Bounds, Excerpt};
pub use reactions::ReactionCount;
pub use reads::{ReadMark, ReadMove};
pub use repeats::{Repeat, RepeatKey};
pub use standing::Standing;
pub use unconfirmed::{Unconfirmed, UserHead};
