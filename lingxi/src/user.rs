//! `lingxi user`: accounts that nobody can register for themselves.

use std::io::BufRead as _;
use std::time::Duration;

use anyhow::Context as _;
use lingxi_domain::role::AccountRole;
use lingxi_im::Registration;
use lingxi_runtime::shutdown::Shutdown;

use crate::config::Config;
use crate::foundation::{self, Foundation};

/// What `lingxi user` is told.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Makes an account; the password is the first line of the standard input. A bot has none: its token is printed.
    Add {
        /// The account's name.
        username: String,
        /// What the account is.
        #[arg(long, value_parser = AccountRole::ALL.map(AccountRole::as_str), default_value = "user")]
        role: String,
    },
}

/// Works on the store itself. In embedded mode the server must be stopped for that: the data folder's lock says so.
#[expect(clippy::print_stdout, reason = "what the command is asked for")]
pub(crate) async fn run(
    config: Config,
    arguments: Arguments,
    wait_for: Duration,
) -> anyhow::Result<()> {
    let Action::Add { username, role } = arguments.action;
    let role = AccountRole::parse(&role);
    let mut password = String::new();
    if role != AccountRole::Bot {
        std::io::stdin()
            .lock()
            .read_line(&mut password)
            .context("cannot read the password")?;
    }
    let base = Shutdown::new();
    let foundation = foundation::open(&config, "lingxi-user", wait_for, false, &base).await?;
    let password = password.trim_end_matches(['\r', '\n']).to_owned();
    let made = add(&foundation, &username, password, role).await;
    foundation.close().await;
    println!("{}", made?);
    Ok(())
}

/// Makes the account; answers what to print.
async fn add(
    foundation: &Foundation,
    username: &str,
    password: String,
    role: AccountRole,
) -> anyhow::Result<String> {
    let refused = |error: lingxi_im::Error| anyhow::anyhow!("{}", error.message());
    if role == AccountRole::Bot {
        let bot = foundation.im.bots().create(username, None).await;
        let bot = bot.map_err(refused)?;
        return Ok(format!(
            "{} is user {}, role bot\n{}",
            bot.username, bot.id, bot.token
        ));
    }
    let new = Registration {
        username: username.to_owned(),
        password,
        nickname: None,
    };
    let id = foundation.im.accounts().appoint(&new).await;
    let id = id.map_err(refused)?;
    foundation.store.set_role(id, role).await?;
    Ok(format!("{username} is user {id}, role {}", role.as_str()))
}
