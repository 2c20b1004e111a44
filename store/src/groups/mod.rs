//! Groups, and who belongs to a conversation.

mod change;
mod group;
mod kicked;
mod links;
mod members;
mod requests;
mod rosters;
mod shown;
mod size;

pub use change::GroupSettings;
pub use group::{Group, NewGroup};
pub use links::InviteLink;
pub use members::Member;
pub use rosters::{Roster, RosterMember};
pub use shown::GroupMember;
