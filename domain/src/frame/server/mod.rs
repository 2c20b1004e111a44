//! What the server sends: each frame is encoded once, by whoever makes it, and handed on as bytes.
//!
//! A frame is a file, and `frames!` names them all: the protocol's schema is made from that list.

mod changes;
#[macro_use]
mod list;

frames! {
    ack::Ack<'_>,
    drain::Drain,
    entry::EventFrame<'_>,
    gap::GapFrame<'_>,
    heartbeat::Heartbeat,
    kicked::Kicked<'_>,
    message::MessageFrame<'_>,
    presence::Presence<'_>,
    read::Read<'_>,
    typing::Typing<'_>,
}

pub use ack::{AckStatus, committed, failed, received};
pub use changes::Changes;
pub use drain::drain;
pub use entry::EventFrame;
pub use gap::{Gap, gap};
pub use heartbeat::ping;
pub use kicked::kicked;
pub use message::{File, MessageFrame, Quote, Reaction, message_kind};
pub use presence::{Seen, presence};
pub use read::read;
pub use typing::typing;
