//! A client of the chat contract, cheap enough to share two cores with the server it measures.
//!
//! REST for accounts ([`accounts`]), a hand-written WebSocket for messages ([`socket`]), and a scanner that reads the few
//! fields that matter out of a frame without building anything ([`frame`]). Nothing here knows which server answers.

pub mod accounts;
pub mod frame;
pub mod socket;
mod wire;

pub use accounts::{Account, Accounts};
pub use frame::Frame;
pub use socket::{Endpoint, Socket, Wake};
pub use wire::{Outbox, Received};
