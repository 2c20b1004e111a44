//! Groups, and who belongs to a conversation.

mod group;
mod kicked;
mod members;

pub use group::{Group, NewGroup};
pub use members::{GroupMember, Member};
