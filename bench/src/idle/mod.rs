//! `bench idle`: what an idle authenticated socket costs the server in memory.

mod fit;

use std::{path::PathBuf, pin::pin, time::Duration};

use anyhow::{Context as _, ensure};
use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use self::fit::slope;
use crate::{
    client::{Accounts, Endpoint, Frame, Received, Socket, Wake},
    output::{json, line, note},
    process::Usage,
};

/// How many sockets to open, and whose memory to read.
#[derive(Args, Debug, Clone)]
#[command(
    after_help = "Start the server with LINGXI__BCRYPT_COST=4 and LINGXI__RATE_LIMITS=off: thousands of users are \
    registered and logged in first.\nLINGXI__HTTP__MAX_CONNECTIONS_PER_NETWORK has to be above the number of sockets.\nBoth sides need more open files than sockets (ulimit -n). Above 20 000 sockets the \
    further ones come from 127.0.0.2, 127.0.0.3, …"
)]
pub struct Options {
    /// The server
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// The server's process id
    #[arg(long)]
    pub pid: u32,
    /// Numbers of sockets to measure at
    #[arg(long, value_delimiter = ',', default_value = "2000,5000,10000")]
    pub sizes: Vec<usize>,
    /// At most this many seconds until the memory is steady
    #[arg(long, default_value_t = 60)]
    pub settle: u64,
    /// Write the results as JSON here (- is standard output)
    #[arg(long)]
    pub json: Option<PathBuf>,
}

/// The server's memory with a number of sockets open.
#[derive(Debug, Clone, Serialize)]
pub struct Point {
    /// Open sockets.
    pub sockets: usize,
    /// Resident memory of the server.
    pub rss_kib: u64,
    /// Above the memory without sockets, for each of them.
    pub kib_per_socket: f64,
    /// Whether the memory stood still when it was read.
    pub steady: bool,
}

/// What `bench idle` measured.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Resident memory with all users registered and logged in, before the first socket.
    pub base_rss_kib: u64,
    /// One row a size.
    pub points: Vec<Point>,
    /// KiB for one more socket: least squares over the points.
    pub slope_kib: f64,
    /// Sockets that answered a heartbeat at the end.
    pub alive: usize,
}

/// Runs the subcommand. `false`: some sockets were not alive at the end.
///
/// # Errors
/// When users cannot be made, sockets not opened, or the server's memory not read.
pub async fn command(options: &Options) -> anyhow::Result<bool> {
    let mut sizes = options.sizes.clone();
    sizes.sort_unstable();
    sizes.dedup();
    let most = *sizes.last().context("--sizes is empty")?;
    ensure!(
        most < 4_000_000,
        "--sizes is more than the loopback addresses have ports for"
    );
    let server = Usage::of(options.pid)?;
    let endpoint = Endpoint::resolve(&options.url).await?;
    note(&format!("registering {most} users"));
    let accounts = Accounts::new(std::slice::from_ref(&endpoint))?;
    let accounts = accounts.create(most).await?;
    let (base_rss_kib, _) = steady(&server, options.settle).await?;

    let (ask, asked) = watch::channel(false);
    let mut sockets = JoinSet::new();
    let mut points = Vec::new();
    line("   sockets    server RSS    per socket");
    line(&format!(
        "{:>10}{:>10.1} MiB",
        0,
        base_rss_kib as f64 / 1024.0
    ));
    for size in sizes {
        let opened = sockets.len();
        let fresh: Vec<Socket> = stream::iter(opened..size)
            .map(|number| Socket::connect(&endpoint, &accounts[number].token, number))
            .buffer_unordered(32)
            .try_collect()
            .await
            .context("cannot open a socket (open files: see ulimit -n, here and at the server)")?;
        for socket in fresh {
            sockets.spawn(hold(socket, asked.clone()));
        }
        let (rss_kib, steady) = steady(&server, options.settle).await?;
        let kib_per_socket = (rss_kib as f64 - base_rss_kib as f64) / size as f64;
        line(&format!(
            "{size:>10}{:>10.1} MiB{kib_per_socket:>10.2} KiB{}",
            rss_kib as f64 / 1024.0,
            if steady { "" } else { "  (not steady)" }
        ));
        points.push(Point {
            sockets: size,
            rss_kib,
            kib_per_socket,
            steady,
        });
    }
    let line_through: Vec<_> = points
        .iter()
        .map(|point| (point.sockets as f64, point.rss_kib as f64))
        .collect();
    let slope_kib = slope(&line_through).unwrap_or(f64::NAN);
    line(&format!("slope {slope_kib:.2} KiB a socket"));

    ask.send_replace(true);
    let alive = sockets
        .join_all()
        .await
        .into_iter()
        .filter(|alive| *alive)
        .count();
    line(&format!(
        "{alive} of {most} sockets answered a heartbeat at the end"
    ));
    let report = Report {
        base_rss_kib,
        points,
        slope_kib,
        alive,
    };
    if let Some(path) = &options.json {
        json(path, &report)?;
    }
    Ok(alive == most)
}

/// Reads the memory once a second until three readings differ by less than 0.5 %, or `limit` seconds are over.
async fn steady(server: &Usage, limit: u64) -> anyhow::Result<(u64, bool)> {
    let mut readings = vec![server.rss_kib()?];
    for _ in 0..limit {
        sleep(Duration::from_secs(1)).await;
        readings.push(server.rss_kib()?);
        let last = readings.iter().rev().take(3);
        let (least, most) = (
            last.clone().min().copied().unwrap_or(0),
            last.max().copied().unwrap_or(0),
        );
        if readings.len() >= 4 && (most - least) * 200 <= most {
            return Ok((most, true));
        }
    }
    Ok((server.rss_kib()?, false))
}

/// Keeps a socket open, answering Pings, until asked; then sends a heartbeat and tells whether its ACK came.
async fn hold(mut socket: Socket, mut asked: watch::Receiver<bool>) -> bool {
    let mut alive = false;
    let mut open = true;
    let mut deadline = Instant::now() + Duration::from_secs(24 * 3600);
    while open && !alive {
        let mut timer = pin!(sleep_until(deadline));
        let wake = tokio::select! {
            wake = socket.wait(timer.as_mut()) => wake,
            _ = asked.changed() => {
                socket.outbox.text(br#"{"type":1,"msg_id":"still-there"}"#);
                deadline = Instant::now() + Duration::from_secs(20);
                Ok(Wake::Written)
            }
        };
        let outcome = match wake {
            Ok(Wake::Readable) => socket.receive(|received, _| match received {
                Received::Text(text) => {
                    alive |= Frame::scan(text)
                        .is_some_and(|frame| frame.kind == 3 && frame.msg_id == b"still-there");
                }
                Received::Close(_) => open = false,
            }),
            Ok(Wake::Written) => Ok(()),
            Ok(Wake::Closed | Wake::Timer) => return false,
            Err(error) => Err(error),
        };
        open &= outcome.is_ok() && socket.flush().is_ok();
    }
    alive
}
