//! The binary: parses the command line and starts what it asks for. What every role needs is opened in [`foundation`];
//! the roles are put together in [`roles`].

mod chat;
mod config;
mod foundation;
mod migrate;
mod roles;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::roles::Role;

/// Many small allocations of many threads are what this process does all day.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Lingxi (灵犀): instant messaging with an AI assistant inside.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// A configuration file instead of ./lingxi.toml.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Sets one key, as in --set listen=0.0.0.0:8080; may be repeated.
    #[arg(long = "set", global = true, value_name = "KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,
    /// Waits so many seconds for a database or message bus that cannot be reached yet, instead of giving up at once.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 0)]
    wait_for: u64,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Runs everything in one process (the default): on SQLite, or as a whole node of a cluster.
    All,
    /// Runs a gateway of a cluster: clients' sockets and requests.
    Gateway,
    /// Runs a chat worker of a cluster: commits messages and fans them out.
    ChatWorker,
    /// Runs an AI worker of a cluster: answers questions.
    AiWorker,
    /// Runs the operators' API of a cluster.
    AdminApi,
    /// Brings the database's schema up to date; in a cluster, before anything else runs.
    Migrate,
    /// Prints the effective configuration, secrets masked, and says whether it is sound.
    CheckConfig {
        /// For this role alone, which may not stand in for a whole system.
        role: Option<Role>,
        /// Prints the documented defaults instead.
        #[arg(long, conflicts_with = "role")]
        defaults: bool,
    },
    /// Makes an account; how the first administrator comes to be. Without a cluster the server must be stopped.
    User(user::Arguments),
    /// A client for the terminal: for people, and for scripts.
    Chat(chat::Arguments),
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or("expected KEY=VALUE, as in listen=0.0.0.0:8080")?;
    Ok((key.to_owned(), value.to_owned()))
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say_error(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the command line's own output: the log may not be set up yet"
)]
fn say_error(error: &anyhow::Error) {
    eprintln!("lingxi: {error:#}");
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    let load =
        || Config::load(arguments.config.as_deref(), &arguments.set).context("configuration");
    let wait_for = Duration::from_secs(arguments.wait_for);
    let serve = |roles: &[Role]| runtime()?.block_on(roles::run(load()?, roles, wait_for));
    match arguments.command.unwrap_or(Command::All) {
        Command::All => serve(Role::ALL),
        Command::Gateway => serve(&[Role::Gateway]),
        Command::ChatWorker => serve(&[Role::ChatWorker]),
        Command::AiWorker => serve(&[Role::AiWorker]),
        Command::AdminApi => serve(&[Role::AdminApi]),
        Command::Migrate => runtime()?.block_on(migrate::run(load()?, wait_for)),
        Command::CheckConfig { defaults: true, .. } => print_defaults(),
        Command::CheckConfig { role, .. } => check_config(&load()?, role),
        Command::User(user) => runtime()?.block_on(user::run(load()?, user, wait_for)),
        Command::Chat(chat) => runtime()?.block_on(chat::run(chat)),
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    // The allocator asks for huge pages. A third of what they hold is never used, and clearing two megabytes at once
    // makes others wait. A system that refuses is as good.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the async runtime")
}

#[expect(clippy::print_stdout, reason = "what the command is asked for")]
fn print_defaults() -> anyhow::Result<()> {
    print!("{}", Config::documented());
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what the command is asked for")]
fn check_config(config: &Config, role: Option<Role>) -> anyhow::Result<()> {
    match role {
        Some(role) => roles::check(config, &[role])?,
        None => roles::check(config, Role::ALL)?,
    }
    print!("{}", config.masked_toml());
    for warning in config.warnings() {
        println!("# warning: {warning}");
    }
    Ok(())
}
