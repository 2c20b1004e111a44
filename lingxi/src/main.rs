//! The binary: parses the command line and starts what it asks for. Everything that runs is put together in [`embedded`].

mod chat;
mod embedded;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use lingxi_runtime::config::Config;

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
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Runs everything in one process on SQLite (the default).
    All,
    /// Prints the effective configuration, secrets masked, and says whether it is sound.
    CheckConfig,
    /// Makes an account, while the server is stopped; how the first administrator comes to be.
    User(user::Arguments),
    /// A small terminal client: connects, sends what it is given, and prints every frame.
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
    match arguments.command.unwrap_or(Command::All) {
        Command::All => runtime()?.block_on(embedded::run(load()?)),
        Command::CheckConfig => check_config(&load()?),
        Command::User(user) => runtime()?.block_on(user::run(load()?, user)),
        Command::Chat(chat) => runtime()?.block_on(chat::run(chat)),
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the async runtime")
}

#[expect(clippy::print_stdout, reason = "what the command is asked for")]
fn check_config(config: &Config) -> anyhow::Result<()> {
    config.mode()?;
    print!("{}", config.masked_toml());
    for warning in config.warnings() {
        println!("# warning: {warning}");
    }
    Ok(())
}
