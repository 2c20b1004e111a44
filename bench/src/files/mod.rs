//! `bench files`: uploads and downloads, many at once, beside what the disk and the loopback of the same machine can do.

mod reference;
mod transfer;

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::ensure;
use clap::Args;
use serde::Serialize;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{
    client::{Accounts, Endpoint},
    output::{json, line, note},
    process::Usage,
};

use self::transfer::{download, upload};

/// What to upload, and whose memory to read.
#[derive(Args, Debug, Clone)]
#[command(
    after_help = "Start the server with LINGXI__BCRYPT_COST=4 and LINGXI__RATE_LIMITS=off. --dir has to be on the disk on which \
    the server keeps its files."
)]
pub struct Options {
    /// The server
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// The server's process id
    #[arg(long)]
    pub pid: u32,
    /// Files at a time
    #[arg(long, default_value_t = 100)]
    pub at_once: usize,
    /// Mebibytes of each, at most 20
    #[arg(long, default_value_t = 10)]
    pub size: usize,
    /// A folder on the server's disk, to compare with
    #[arg(long)]
    pub dir: PathBuf,
    /// Write the results as JSON here (- is standard output)
    #[arg(long)]
    pub json: Option<PathBuf>,
}

/// One way, all files at once.
#[derive(Debug, Clone, Serialize)]
pub struct Way {
    /// Of all files together.
    pub mib_per_second: f64,
    /// The same without the server: the disk's writing, the loopback's carrying.
    pub reference_mib_per_second: f64,
    /// The one by the other.
    pub ratio: f64,
    /// What the server's memory was above what it was before, at its peak.
    pub memory_kib: u64,
    /// Files that did not go through whole.
    pub failed: usize,
}

/// What `bench files` measured.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// In.
    pub up: Way,
    /// Out.
    pub down: Way,
}

/// Users of whom each uploads this many files at a time: fewer than a user may.
const OF_ONE: usize = 4;
/// Between two looks at the server's memory.
const LOOK: Duration = Duration::from_millis(20);

/// Runs the subcommand. `false`: some files did not go through whole.
///
/// # Errors
/// When users cannot be made, or the server's memory not read.
pub async fn command(options: &Options) -> anyhow::Result<bool> {
    ensure!((1..=20).contains(&options.size), "--size is from 1 to 20");
    ensure!(options.at_once > 0, "--at-once is 0");
    let server = Usage::of(options.pid)?;
    let endpoint = Endpoint::resolve(&options.url).await?;
    let accounts = Accounts::new(std::slice::from_ref(&endpoint))?;
    let users = accounts.create(options.at_once.div_ceil(OF_ONE)).await?;
    let bytes: Arc<[u8]> = (0..options.size << 20)
        .map(|n| (n * 31 % 251) as u8)
        .collect();

    note("writing to the disk");
    let disk = reference::disk(&options.dir, &bytes, options.at_once).await?;
    note("uploading");
    let mut work = JoinSet::new();
    for number in 0..options.at_once {
        let token = users[number / OF_ONE].token.clone();
        let (endpoint, bytes) = (endpoint.clone(), bytes.clone());
        work.spawn(async move {
            upload(&endpoint, &token, &bytes)
                .await
                .map(|id| (id, token))
        });
    }
    let (files, took, memory) = all(work, &server).await?;
    let up = way(options, (files.len(), took), disk, memory);

    note("carrying over loopback");
    let loopback = reference::loopback(&bytes, options.at_once).await?;
    note("downloading");
    let mut work = JoinSet::new();
    for (id, token) in files {
        let (endpoint, bytes) = (endpoint.clone(), bytes.clone());
        work.spawn(async move { download(&endpoint, &token, id, &bytes).await });
    }
    let (done, took, memory) = all(work, &server).await?;
    let down = way(options, (done.len(), took), loopback, memory);

    line("            MiB/s   alone    ratio   memory     failed");
    for (name, way) in [("upload", &up), ("download", &down)] {
        line(&format!(
            "{name:<9}{:>8.0}{:>8.0}{:>9.2}{:>8.1} MiB{:>7}",
            way.mib_per_second,
            way.reference_mib_per_second,
            way.ratio,
            way.memory_kib as f64 / 1024.0,
            way.failed
        ));
    }
    let whole = up.failed + down.failed == 0;
    if let Some(path) = &options.json {
        json(path, &Report { up, down })?;
    }
    Ok(whole)
}

/// What came of those that went through, how long all took, and the server's memory above what it was.
async fn all<T: 'static>(
    mut work: JoinSet<anyhow::Result<T>>,
    server: &Usage,
) -> anyhow::Result<(Vec<T>, Duration, u64)> {
    let (begun, before) = (Instant::now(), server.rss_kib()?);
    let (mut done, mut peak) = (Vec::new(), before);
    loop {
        tokio::select! {
            next = work.join_next() => match next {
                None => return Ok((done, begun.elapsed(), peak - before)),
                Some(outcome) => match outcome? {
                    Ok(one) => done.push(one),
                    Err(error) => note(&format!("{error:#}")),
                },
            },
            () = sleep(LOOK) => peak = peak.max(server.rss_kib()?),
        }
    }
}

fn way(options: &Options, (through, took): (usize, Duration), alone: f64, memory_kib: u64) -> Way {
    let mib_per_second = (through * options.size) as f64 / took.as_secs_f64();
    Way {
        mib_per_second,
        reference_mib_per_second: alone,
        ratio: mib_per_second / alone,
        memory_kib,
        failed: options.at_once - through,
    }
}
