//! What a client can say on its WebSocket: a command a file, and this list.
//!
//! The list feeds parsing, dispatch, prices and the protocol's schema. A new command is a file with a type that is a
//! [`Command`], and a line here.

#[macro_use]
mod list;
mod command;

commands! {
    heartbeat::Heartbeat,
    message::Message,
    sync::Sync,
    receipt::Receipt,
    typing::Typing,
    watch::Watch,
}

pub(crate) use command::{Command, Connection};
