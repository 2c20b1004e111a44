//! A client of the chat contract, cheap enough to share two cores with the server it measures.
//!
//! REST for accounts and groups ([`accounts`], [`groups`]), a hand-written WebSocket for messages ([`socket`]), and a scanner that reads the few
//! fields that matter out of a frame without building anything ([`frame`]). Nothing here knows which server answers.

pub mod accounts;
pub mod frame;
pub mod groups;
pub mod rest;
pub mod resume;
pub mod socket;
mod wire;

pub use accounts::{Account, Accounts};
pub use frame::Frame;
pub use groups::Group;
pub use rest::Rest;
pub use resume::Gap;
pub use socket::{Endpoint, Socket, Wake};
pub use wire::{Outbox, Received};
