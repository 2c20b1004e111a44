//! `bench attack`: what one client, or a stranger without an account, can do to a server, and what others feel of it.
//!
//! Each attack runs for some seconds at full rate, bounded in connections and memory, against a server on loopback. Beside it
//! strangers, from an address of their own, send messages and requests at a quiet pace; their latencies and the server's memory
//! are compared with the seconds before. Start at [`command`]; each attack is a file, [`kind::Kind`] lists them.

mod connection;
mod flood;
mod kind;
mod kinds;
mod report;
mod resident;
mod stage;
mod stranger;

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, ensure};
use clap::Args;
use rustix::process::nice;
use tokio::time::Instant;

pub use self::kind::Kind;
use self::{report::Row, resident::Resident, stage::Stage, stranger::Strangers};
use crate::{
    output::{json, line, note},
    process::Named,
};

/// How much lower the attack's priority is than the strangers', as `nice` counts it.
const GIVING_WAY: i32 = 19;

/// Whom to attack, and how.
#[derive(Args, Debug, Clone)]
#[command(
    after_help = "Start the server with its limits on, as people run it, and LINGXI__BCRYPT_COST as you wish.\nOnly loopback \
    addresses are attacked. Raise ulimit -n here above the connections of the attack."
)]
pub struct Options {
    /// The server
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// Processes whose memory is read: PID or NAME=PID
    #[arg(long = "pid", value_name = "[NAME=]PID")]
    pub pids: Vec<Named>,
    /// Where series are counted: an internal port's /metrics, such as http://127.0.0.1:9080/metrics
    #[arg(long)]
    pub metrics: Option<String>,
    /// Attacks to run; all of them when none is named
    #[arg(value_enum)]
    pub kinds: Vec<Kind>,
    /// Seconds of each attack
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// Seconds of quiet before each
    #[arg(long, default_value_t = 10)]
    pub quiet: u64,
    /// Attack in turn for so many minutes, and compare what the server holds with its start
    #[arg(long)]
    pub soak: Option<u64>,
    /// Write the rows as JSON here (- is standard output)
    #[arg(long)]
    pub json: Option<PathBuf>,
}

/// Runs the subcommand. `false`: a bound was passed.
///
/// # Errors
/// When the server cannot be reached, or its address is not loopback.
pub async fn command(options: &Options) -> anyhow::Result<bool> {
    let stage = Stage::set(&options.url).await?;
    let resident = Resident::of(&options.pids, options.metrics.clone())?;
    let strangers = Strangers::start(&stage).await?;
    // An attacker is on another machine: what this one computes must not be felt. It computes in this thread, and the
    // strangers' has its priority already.
    nice(GIVING_WAY).context("cannot lower the attack's priority")?;
    let kinds = match options.kinds.as_slice() {
        [] => Kind::all(),
        named => named.to_vec(),
    };
    let mut rows = Vec::new();
    report::head();
    let begun = Instant::now();
    // What was allocated once, for good, is not a leak: the first round does not count.
    let mut start = None;
    loop {
        for &kind in &kinds {
            let row = attack(kind, options, &stage, &strangers, &resident).await?;
            line(&row.text());
            rows.push(row);
        }
        let Some(minutes) = options.soak else { break };
        settle().await;
        let held = resident.read().await?;
        start.get_or_insert_with(|| held.clone());
        note(&format!("after {} s: {held}", begun.elapsed().as_secs()));
        if begun.elapsed() >= Duration::from_secs(minutes * 60) {
            break;
        }
    }
    let mut sound = rows.iter().all(Row::is_sound);
    if let Some(start) = start {
        settle().await;
        let end = resident.read().await?;
        line(&format!("held after the first round: {start}"));
        line(&format!("held at the end:            {end}"));
        sound &= end.came_back_to(&start);
    }
    if let Some(path) = &options.json {
        json(path, &rows)?;
    }
    ensure!(!rows.is_empty(), "no attack ran");
    Ok(sound)
}

/// Time for connections to end and memory to be given back.
async fn settle() {
    tokio::time::sleep(Duration::from_secs(12)).await;
}

async fn attack(
    kind: Kind,
    options: &Options,
    stage: &Stage,
    strangers: &Strangers,
    resident: &Resident,
) -> anyhow::Result<Row> {
    let prepared = kind.prepare(stage).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    strangers.begin();
    let before = resident.memory_kib()?;
    tokio::time::sleep(Duration::from_secs(options.quiet)).await;
    let quiet = strangers.felt();
    strangers.begin();
    let peak = resident.watch();
    let until = Instant::now() + Duration::from_secs(options.seconds);
    let done = prepared.run(until).await;
    let felt = strangers.felt();
    let peak_kib = peak.end();
    tokio::time::sleep(Duration::from_secs(2)).await;
    Ok(Row {
        kind,
        done,
        quiet,
        felt,
        before_kib: before,
        peak_kib,
        after_kib: resident.memory_kib().unwrap_or(0),
    })
}
