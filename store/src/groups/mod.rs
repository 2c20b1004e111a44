//! Groups, and who belongs to a conversation.

mod group;
mod kicked;
mod members;
mod rosters;
mod size;

pub use group::{Group, NewGroup};
pub use members::{GroupMember, Member};
pub use rosters::{Roster, RosterMember};
