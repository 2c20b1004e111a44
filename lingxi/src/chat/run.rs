//! Puts a session together.

use std::io::IsTerminal as _;

use clap::error::ErrorKind;

use super::account::enter;
use super::arguments::Arguments;
use super::input::Input;
use super::session::{self, Plan};
use super::talk::Talk;
use super::text;
use super::view::View;

/// Connects, says, and shows what comes.
///
/// # Errors
/// When it cannot connect or log in, when the server ends it, and when something was refused or has no ACK at the end.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let talk = match (&arguments.to, arguments.group) {
        (Some(name), _) => Some(Talk::User(name.clone())),
        (None, Some(id)) => Some(Talk::Group(id)),
        (None, None) => None,
    };
    if talk.is_none() && !arguments.say.is_empty() {
        let message = "say whom --say is for: --to NAME or --group ID\n";
        clap::Error::raw(ErrorKind::MissingRequiredArgument, message).exit();
    }
    let done = sit(arguments, talk).await;
    // A server's words may be in it.
    done.map_err(|error| anyhow::anyhow!("{}", text::line(&format!("{error:#}"))))
}

async fn sit(arguments: Arguments, talk: Option<Talk>) -> anyhow::Result<()> {
    // Before a thread reads the input: a password may be its first line.
    let account = enter(&arguments).await?;
    let as_json = arguments.as_json();
    let is_person = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let (input, view) = match arguments.reads_input() {
        true if is_person && !as_json => {
            let (input, printer) = Input::person()?;
            (Some(input), View::person(Some(printer)))
        }
        true if as_json => (Some(Input::lines()), View::json()),
        true => (Some(Input::lines()), View::person(None)),
        false => (None, View::json()),
    };
    let plan = Plan {
        account,
        input,
        view,
        talk,
        say: arguments.say,
        expect: arguments.expect,
        follow: arguments.follow,
        fields: as_json,
    };
    session::run(plan).await
}
