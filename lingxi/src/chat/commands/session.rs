//! The session itself.

use futures_util::FutureExt as _;
use serde_json::json;

use super::command::{Command, Done, Then, nothing};

pub(super) const COMMANDS: &[Command] = &[
    Command {
        name: "help",
        takes: "",
        about: "lists the commands",
        run: |_, _| async { Done::found(json!({})) }.boxed(),
        show: nothing,
    },
    Command {
        name: "quit",
        takes: "",
        about: "ends when all that was said has its ACK",
        run: |_, _| async { Done::then(Then::Quit) }.boxed(),
        show: nothing,
    },
];
