//! What clients wrote down while things broke, and whether every promise was kept: for the tests that break things.
//!
//! A test fills a [`Recording`]; [`check`] judges it and nothing else. [`entry_of`] reads an entry from a frame.

mod checker;
mod connections;
mod cursors;
mod logs;
mod membership;
mod recording;
mod tests;

pub(crate) use checker::{check, kinds};
pub(crate) use logs::overtaken;
pub(crate) use recording::{
    Ack, Connection, CursorSeen, EDIT, Effect, Ended, Entry, Log, Owed, Received, Recording,
    RunSeen, entry_of,
};
