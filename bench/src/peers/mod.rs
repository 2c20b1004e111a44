//! `bench peers`: Lingxi and another server under the same load, round by round in the same minutes.
//!
//! A figure of another day or another machine says little; a ratio measured in turns on one machine says more. Both keep
//! running through all rounds, on one disk, with the same promise behind an ACK (committed with fsync).

mod fastapi_hub;
mod lingxi;
mod server;

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use serde::Serialize;

use crate::{
    chat,
    output::{json, line, note},
    process::Named,
};

/// The load of each round.
#[derive(Args, Debug, Clone)]
#[command(
    after_help = "The first run makes a Python virtual environment under target/peers and needs PyPI for it."
)]
pub struct Options {
    /// The Lingxi binary
    #[arg(long, default_value = "target/release/lingxi")]
    pub lingxi: PathBuf,
    /// Pairs of users
    #[arg(long, default_value_t = 20)]
    pub pairs: usize,
    /// Messages each sender keeps unacknowledged
    #[arg(long, default_value_t = 8)]
    pub window: u32,
    /// Seconds measured, for each server in each round
    #[arg(long, default_value_t = 8.0)]
    pub duration: f64,
    /// Seconds of load before each
    #[arg(long, default_value_t = 2.0)]
    pub warmup: f64,
    /// Rounds
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// Bytes of content a message
    #[arg(long, default_value_t = 100)]
    pub size: usize,
    /// Only the peer, when there is no Lingxi binary to compare with
    #[arg(long)]
    pub peer_only: bool,
    /// Write the results as JSON here (- is standard output)
    #[arg(long)]
    pub json: Option<PathBuf>,
}

/// One round: both servers, one after the other.
#[derive(Debug, Clone, Serialize)]
pub struct Round {
    /// The original design.
    pub fastapi_hub: chat::Report,
    /// Lingxi.
    pub lingxi: Option<chat::Report>,
    /// Messages delivered a second by Lingxi for one of the peer's.
    pub ratio: Option<f64>,
}

/// What `bench peers` measured.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// In the order they ran.
    pub rounds: Vec<Round>,
    /// The middle ratio.
    pub median_ratio: Option<f64>,
}

/// Runs the subcommand. `false`: a message was lost, repeated or out of order at either server.
///
/// # Errors
/// When a server cannot be started or the load not run.
pub async fn command(options: &Options) -> anyhow::Result<bool> {
    ensure!(options.rounds > 0, "--rounds must be at least 1");
    let peer = fastapi_hub::start().await?;
    let lingxi = if options.peer_only {
        None
    } else {
        Some(lingxi::start(&options.lingxi).await?)
    };
    let mut rounds = Vec::new();
    for number in 1..=options.rounds {
        // Who goes first changes, so that neither always has the warmer machine.
        let round = match &lingxi {
            None => Round {
                fastapi_hub: load(options, &peer).await?,
                lingxi: None,
                ratio: None,
            },
            Some(lingxi) => {
                let (theirs, ours);
                if number % 2 == 1 {
                    theirs = load(options, &peer).await?;
                    ours = load(options, lingxi).await?;
                } else {
                    ours = load(options, lingxi).await?;
                    theirs = load(options, &peer).await?;
                }
                let ratio = ours.received_per_second / theirs.received_per_second;
                Round {
                    fastapi_hub: theirs,
                    lingxi: Some(ours),
                    ratio: Some(ratio),
                }
            }
        };
        rounds.push(round);
    }
    let mut ratios: Vec<f64> = rounds.iter().filter_map(|round| round.ratio).collect();
    let report = Report {
        rounds,
        median_ratio: median(&mut ratios),
    };
    print(options, &report);
    if let Some(path) = &options.json {
        json(path, &report)?;
    }
    Ok(report.rounds.iter().all(|round| {
        round.fastapi_hub.clean() && round.lingxi.as_ref().is_none_or(|run| run.clean())
    }))
}

async fn load(options: &Options, server: &server::Server) -> anyhow::Result<chat::Report> {
    note(&format!("{} at {}", server.name, server.url));
    let load = chat::Options {
        url: server.url.clone(),
        pairs: options.pairs,
        duration: options.duration,
        warmup: options.warmup,
        window: options.window,
        rate: None,
        size: options.size,
        read: false,
        drain: 15.0,
        pid: server
            .pid()
            .map(|pid| Named { name: None, pid })
            .into_iter()
            .collect(),
        json: None,
        quiet: false,
    };
    let report = chat::run(&load).await?;
    if !report.clean() {
        report.print();
    }
    Ok(report)
}

fn print(options: &Options, report: &Report) {
    line(&format!(
        "{} pairs, window {}, {} bytes, {} s a round; delivered messages a second, then p50 / p99 to delivery",
        options.pairs, options.window, options.size, options.duration
    ));
    line("round                fastapi_hub                        lingxi     ratio");
    let cell = |run: &chat::Report| {
        format!(
            "{:>9.0}/s {:>7.1} /{:>7.1} ms",
            run.received_per_second, run.delivery_ms.p50, run.delivery_ms.p99
        )
    };
    for (number, round) in report.rounds.iter().enumerate() {
        let ours = round.lingxi.as_ref().map(cell).unwrap_or_default();
        let ratio = round
            .ratio
            .map(|ratio| format!("{ratio:>9.1}"))
            .unwrap_or_default();
        line(&format!(
            "{:>5} {} {ours:>30} {ratio}",
            number + 1,
            cell(&round.fastapi_hub)
        ));
    }
    if let Some(ratio) = report.median_ratio {
        line(&format!("median ratio {ratio:.1}"));
    }
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = values.get(values.len() / 2)?;
    let lower = values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn medians() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 3.0, 2.0]), Some(2.5));
    }
}
