//! The `bench` binary: one subcommand a measurement.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use lingxi_bench::{attack, chat, files, group, idle, mirror, output, peers, reconnect, simulator};
use tokio::signal::unix::{SignalKind, signal};

/// Measures Lingxi, and any server that speaks its client contract.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Pairs of users chat; rates, latencies, and every message checked
    Chat(chat::Options),
    /// One large group; rates, latencies to each member and to all, and every message checked
    Group(group::Options),
    /// Uploads and downloads, many at once, beside what the machine can do alone
    Files(files::Options),
    /// What one client, or a stranger without an account, can do to a server, and what others feel of it
    Attack(attack::Options),
    /// A gateway is lost, and all its clients come to another one at once
    Reconnect(reconnect::Options),
    /// Server memory per idle authenticated socket
    Idle(idle::Options),
    /// The same load against Lingxi and the original design, in the same minutes
    Peers(peers::Options),
    /// A server that stores nothing: what the generator itself can do, and whether its checks can fail
    Mirror(mirror::Options),
    /// An OpenAI-compatible server with scripted answers and faults
    Simulate(simulator::Options),
}

/// One thread: the generator shares the machine with the server, and a second thread would only add locks.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let command = Cli::parse().command;
    let work = async move {
        match command {
            Command::Chat(options) => chat::command(&options).await,
            Command::Group(options) => group::command(&options).await,
            Command::Files(options) => files::command(&options).await,
            Command::Attack(options) => attack::command(&options).await,
            Command::Reconnect(options) => reconnect::command(&options).await,
            Command::Idle(options) => idle::command(&options).await,
            Command::Peers(options) => peers::command(&options).await,
            Command::Mirror(options) => mirror::command(&options).await,
            Command::Simulate(options) => simulator::command(&options).await,
        }
    };
    // Leaving by a return drops what was started: child servers are killed by their own handles.
    let outcome = tokio::select! {
        outcome = work => outcome,
        () = interrupted() => Err(anyhow::anyhow!("interrupted")),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            output::note(&format!("bench: {error:#}"));
            ExitCode::from(2)
        }
    }
}

async fn interrupted() {
    let mut terminate = signal(SignalKind::terminate()).ok();
    let terminated = async {
        match terminate.as_mut() {
            Some(signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
