//! What can be typed behind a slash: a command a `Command`, and this list.

mod assistant;
mod command;
mod conversations;
mod files;
mod groups;
mod messages;
mod people;
mod session;

use serde_json::Value;

pub(super) use command::{Command, Context, Done, Running, Then};
pub(super) use messages::shown as message;

use crate::chat::server::Refused;

/// Every command, in the order in which /help lists them.
const COMMANDS: &[&[Command]] = &[
    conversations::COMMANDS,
    messages::COMMANDS,
    files::COMMANDS,
    groups::COMMANDS,
    people::COMMANDS,
    assistant::COMMANDS,
    session::COMMANDS,
];

/// The command that a line gives, and what stands behind its name. The line begins with a slash.
///
/// # Errors
/// When there is no such command.
pub(super) fn find(line: &str) -> Result<(&'static Command, &str), Refused> {
    let typed = line.trim().trim_start_matches('/');
    let (name, rest) = command::word(typed);
    let found = all().find(|command| command.name == name);
    let unknown = || Refused::usage(format!("there is no /{name}; /help lists what there is"));
    Ok((found.ok_or_else(unknown)?, rest))
}

/// What a command found or did, in lines for people. /help is about all the others, and so is shown here.
pub(super) fn show(name: &str, body: &Value) -> Vec<String> {
    let command = all().find(|command| command.name == name);
    command.map_or_else(Vec::new, |command| match name {
        "help" => help(),
        _ => (command.show)(body),
    })
}

fn all() -> impl Iterator<Item = &'static Command> {
    COMMANDS.iter().copied().flatten()
}

fn help() -> Vec<String> {
    let line = |command: &Command| {
        let typed = format!("/{} {}", command.name, command.takes);
        format!("  {typed:<24} {}", command.about)
    };
    all().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_by_their_names() {
        let found = |line| find(line).map(|(command, rest)| (command.name, rest));
        assert_eq!(found("/to bob").unwrap(), ("to", "bob"));
        assert_eq!(
            found(" /reply 5  hi  there ").unwrap(),
            ("reply", "5  hi  there")
        );
        assert_eq!(found("/list").unwrap(), ("list", ""));
        assert!(found("/nonsense").unwrap_err().message.contains("/help"));
        let mut names: Vec<_> = all().map(|command| command.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!((names.len(), help().len()), (count, count));
    }
}
