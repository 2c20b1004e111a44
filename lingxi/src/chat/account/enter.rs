//! Logging in, or showing a token.

use std::path::Path;

use anyhow::{Context as _, bail};
use clap::error::ErrorKind;
use serde_json::{Value, json};

use super::password::password;
use super::remembered::{Remembered, location};
use crate::chat::arguments::Arguments;
use crate::chat::server::{Rest, Server};

/// The server of those who name none.
const LOCAL: &str = "http://127.0.0.1:8080";

/// Somebody, on a server.
#[derive(Debug)]
pub(in super::super) struct Account {
    pub(in super::super) rest: Rest,
    pub(in super::super) username: String,
}

/// Logs in, or finds a token and asks whose it is.
///
/// # Errors
/// Says in one line why not.
pub(in super::super) async fn enter(arguments: &Arguments) -> anyhow::Result<Account> {
    let file = location(arguments.token_file.as_deref());
    let rest = match (&arguments.user, &arguments.token) {
        (Some(user), _) => {
            let rest = Rest::new(server(arguments, None)?)?;
            let token = log_in(&rest, user, arguments.register).await?;
            rest.with_token(&token)
        }
        (None, Some(token)) => Rest::new(server(arguments, None)?)?.with_token(token),
        (None, None) => remembered(arguments, file.as_deref())?,
    };
    let username = whose(&rest).await?;
    if arguments.remember {
        let file =
            file.context("there is no home folder; --token-file says where to keep the token")?;
        let kept = Remembered {
            url: Some(rest.server.named.clone()),
            token: rest.token().to_owned(),
        };
        kept.write(&file)?;
    }
    Ok(Account { rest, username })
}

/// The server that was named, or else the one that is `known`, or the one on this machine.
fn server(arguments: &Arguments, known: Option<&str>) -> anyhow::Result<Server> {
    let url = arguments.url.as_deref().or(known).unwrap_or(LOCAL);
    Server::new(url, arguments.ca.as_deref())
}

/// Who was remembered. A token is shown to the server that gave it, and to no other.
fn remembered(arguments: &Arguments, file: Option<&Path>) -> anyhow::Result<Rest> {
    let Some(found) = file.map(Remembered::read).transpose()?.flatten() else {
        let named = arguments.token_file.as_ref();
        let named = named.map(|file| format!("{} is not there; ", file.display()));
        let say = "say whom to be: --user NAME, --token TOKEN or --token-file FILE (lingxi chat --help tells more)";
        usage(&format!("{}{say}", named.unwrap_or_default()));
    };
    let server = server(arguments, found.url.as_deref())?;
    if let Some(known) = found.url.as_deref().filter(|url| !server.is(url)) {
        bail!(
            "who was remembered is known at {known}, and not at {}: log in with --user NAME",
            server.named
        );
    }
    Ok(Rest::new(server)?.with_token(&found.token))
}

/// Ends the process: it was called wrongly.
fn usage(message: &str) -> ! {
    clap::Error::raw(ErrorKind::MissingRequiredArgument, format!("{message}\n")).exit()
}

async fn log_in(rest: &Rest, user: &str, register: bool) -> anyhow::Result<String> {
    let password = password(user, &rest.server.named, register).await?;
    let body = json!({"username": user, "password": password});
    if register {
        rest.post("user/register", &body).await?;
    }
    let session = rest.post("user/login", &body).await?;
    text(&session, "token").with_context(|| format!("{} gave no token", rest.server.named))
}

async fn whose(rest: &Rest) -> anyhow::Result<String> {
    let me = rest.get("user/me", &[]).await?;
    text(&me, "username").with_context(|| {
        let named = &rest.server.named;
        format!("{named} does not say who this is: is it a Lingxi server?")
    })
}

fn text(value: &Value, field: &str) -> Option<String> {
    value[field].as_str().map(str::to_owned)
}
