//! `lingxi user`: accounts that nobody can register for themselves.

use std::io::BufRead as _;
use std::time::Duration;

use anyhow::Context as _;
use lingxi_domain::role::AccountRole;
use lingxi_im::Registration;
use lingxi_runtime::shutdown::Shutdown;

use crate::config::Config;
use crate::foundation;

/// What `lingxi user` is told.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Makes an account; the password is the first line of the standard input.
    Add {
        /// The account's name.
        username: String,
        /// What the account is.
        #[arg(long, value_parser = ["user", "admin", "bot"], default_value = "user")]
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
    let mut password = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut password)
        .context("cannot read the password")?;
    let base = Shutdown::new();
    let foundation = foundation::open(&config, "lingxi-user", wait_for, false, &base).await?;
    let password = password.trim_end_matches(['\r', '\n']).to_owned();
    let new = Registration {
        username,
        password,
        nickname: None,
    };
    let id = foundation
        .im
        .accounts()
        .appoint(&new)
        .await
        .map_err(|e| anyhow::anyhow!("{}", e.message()))?;
    foundation
        .store
        .set_role(id, AccountRole::parse(&role))
        .await?;
    foundation.close().await;
    println!("{} is user {id}, role {role}", new.username);
    Ok(())
}
