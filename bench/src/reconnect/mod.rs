//! `bench reconnect`: a gateway is lost, and all its clients come to another one at once.
//!
//! Senders stay connected to the surviving gateways and write to the clients before the loss, while they are away, and
//! when they are back. Each client knows what it confirmed, so that it can tell what may come again from what may not.

mod books;
mod device;
mod log;
mod loss;
mod message;
mod report;
mod sender;
mod setup;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, rc::Rc, time::Duration};

use anyhow::ensure;
use clap::{Args, ValueEnum};
use tokio::{
    task::{JoinHandle, LocalSet},
    time::{Instant, sleep},
};

pub use self::{
    books::Counts,
    report::{Queries, Report},
};
use self::{
    books::{Books, Phase},
    report::Measured,
    setup::World,
};
use crate::{
    output::{self, note},
    process::{Fleet, Named},
    queries,
};

/// How long a lost gateway's connections may take to end.
const LOSS_LIMIT: Duration = Duration::from_secs(30);
/// How long the devices listen on for repeats when all is over.
const QUIET: Duration = Duration::from_millis(300);

/// When the message behind the return is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Fresh {
    /// When all clients have caught up and the queries are counted.
    After,
    /// In each conversation when its clients are back: it meets what they are still catching up with.
    Back,
}

/// The herd and its loss.
#[derive(Args, Debug, Clone)]
#[command(
    after_help = "Start the servers with LINGXI__RATE_LIMITS=off and LINGXI__BCRYPT_COST=4. Both sides need more open \
    files than clients (ulimit -n).\nExit status: 0 all came back and have everything once and in order; 1 some did not; \
    2 it could not run."
)]
#[group(skip)]
pub struct Options {
    /// The gateways, with commas between: the first is lost, the others take its clients
    #[arg(long, default_value = "http://127.0.0.1:8080,http://127.0.0.1:8081")]
    pub url: String,
    /// Clients connected to the first gateway
    #[arg(long, default_value_t = 1000)]
    pub clients: usize,
    /// Users who stay connected and write to them, each to its share, as pairs
    #[arg(long, default_value_t = 16)]
    pub senders: usize,
    /// Groups that the clients are in as well, each in one; 0: only pairs
    #[arg(long, default_value_t = 0)]
    pub groups: usize,
    /// Messages in each conversation while all are away; 0: none is waited for, and one is sent while they return
    #[arg(long, default_value_t = 1)]
    pub backlog: u32,
    /// Bytes of content a message
    #[arg(long, default_value_t = 100)]
    pub size: usize,
    /// The first gateway's process, to be killed (SIGKILL)
    #[arg(long, required_unless_present = "cut", conflicts_with = "cut")]
    pub kill_pid: Option<u32>,
    /// Cut the clients' connections here instead
    #[arg(long)]
    pub cut: bool,
    /// Each client's first attempt comes a random time up to this after the return, in milliseconds
    #[arg(long, default_value_t = 1000)]
    pub jitter_ms: u64,
    /// Milliseconds after which an attempt to connect is given up
    #[arg(long, default_value_t = 10_000)]
    pub attempt_ms: u64,
    /// When the message behind the return is sent
    #[arg(long, value_enum, default_value_t = Fresh::After)]
    pub fresh: Fresh,
    /// Seconds of quiet before the loss, and before queries are counted at the end
    #[arg(long, default_value_t = 3.0)]
    pub settle: f64,
    /// Seconds after which the herd is given up
    #[arg(long, default_value_t = 60.0)]
    pub give_up: f64,
    /// Seconds to wait for messages before the loss and at the end
    #[arg(long, default_value_t = 30.0)]
    pub drain: f64,
    /// A command that prints how many queries the database has answered; the last integer counts
    #[arg(long)]
    pub count_queries: Option<String>,
    /// Users to take from this file, or to keep in it for another run
    #[arg(long)]
    pub accounts: Option<PathBuf>,
    /// Processes to report the CPU and memory of: PID, or NAME=PID,NAME=PID
    #[arg(long, value_delimiter = ',')]
    pub pid: Vec<Named>,
    /// Write the results as JSON here (- is standard output)
    #[arg(long)]
    pub json: Option<PathBuf>,
}

/// Runs the subcommand. `false`: a client did not come back, or has not everything once and in order.
///
/// # Errors
/// When the herd could not be made.
pub async fn command(options: &Options) -> anyhow::Result<bool> {
    let report = run(options).await?;
    report.print();
    if let Some(path) = &options.json {
        output::json(path, &report)?;
    }
    Ok(report.clean())
}

/// Runs one herd and returns its measurements.
///
/// # Errors
/// When users, groups or sockets cannot be made, the gateway cannot be killed, or its clients do not lose it.
pub async fn run(options: &Options) -> anyhow::Result<Report> {
    ensure!(options.clients > 0, "--clients must be at least 1");
    ensure!(options.senders > 0, "--senders must be at least 1");
    ensure!(
        options.groups <= options.clients,
        "--groups must be at most --clients"
    );
    ensure!(options.backlog <= 10_000, "--backlog must be at most 10000");
    ensure!(
        (message::NAME..=16 * 1024).contains(&options.size),
        "--size must be {} to 16384",
        message::NAME
    );
    for (name, seconds) in [
        ("settle", options.settle),
        ("give-up", options.give_up),
        ("drain", options.drain),
    ] {
        ensure!(
            (0.0..=86_400.0).contains(&seconds),
            "--{name} must be 0 to 86400"
        );
    }
    let fleet = Fleet::of(&options.pid)?;
    let work = LocalSet::new();
    let world = setup::world(options).await?;
    work.run_until(herd(options, &fleet, world)).await
}

/// The phases of a run, one after the other.
async fn herd(options: &Options, fleet: &Fleet, world: World) -> anyhow::Result<Report> {
    let Running { books, tasks } = world.start(options);
    let clients = options.clients;
    let drain = Duration::from_secs_f64(options.drain);
    let settle = Duration::from_secs_f64(options.settle);

    note("one message in each conversation, which the clients confirm");
    books.order_all(0);
    books.until(drain, |now| now.settled == clients).await;
    books.counts.borrow_mut().unsettled = (clients - books.progress.get().settled) as u64;
    let quiet = (asked(options).await?, Instant::now());
    sleep(settle).await;
    let quiet_seconds = quiet.1.elapsed().as_secs_f64();
    let quiet = asked(options).await?.saturating_sub(quiet.0);

    note("the gateway is lost");
    books.phase.send_replace(Phase::Lost);
    if let Some(pid) = options.kill_pid {
        loss::kill(pid).await?;
    }
    let lost = books.until(LOSS_LIMIT, |now| now.away == clients).await;
    ensure!(
        lost,
        "{} clients are still connected to the lost gateway: is --kill-pid its process?",
        clients - books.progress.get().away
    );
    for number in 1..=options.backlog {
        books.order_all(number);
    }
    books.until(drain, |now| now.unanswered == 0).await;

    note("all come back");
    let counted = asked(options).await?;
    let before = fleet.sample();
    let returned = Instant::now();
    books.phase.send_replace(Phase::Return(returned));
    if options.backlog == 0 {
        books.order_all(1);
    }
    let give_up = Duration::from_secs_f64(options.give_up);
    books.until(give_up, |now| now.caught_up == clients).await;
    let herd_seconds = returned.elapsed().as_secs_f64();
    let machine = fleet.spent(&before, &fleet.sample());
    let mut queries = None;
    if options.count_queries.is_some() {
        sleep(settle).await;
        let herd = asked(options).await?.saturating_sub(counted);
        queries = Some(Queries {
            quiet_per_second: quiet as f64 / quiet_seconds.max(f64::EPSILON),
            herd,
            herd_seconds: returned.elapsed().as_secs_f64(),
            herd_per_client: herd as f64 / clients as f64,
        });
    }

    if options.fresh == Fresh::After {
        books.order_all(books.fresh());
    }
    let expected = arrivals(&books);
    books
        .until(drain, |now| now.unanswered == 0 && now.fresh >= expected)
        .await;
    sleep(QUIET).await;
    books.phase.send_replace(Phase::Finish);
    for task in tasks {
        task.await?;
    }
    let Ok(books) = Rc::try_unwrap(books) else {
        anyhow::bail!("a task of the herd still runs");
    };
    let mut counts = books.counts.into_inner();
    counts.clients = clients as u64;
    counts.unanswered = books.progress.get().unanswered as u64;
    let measured = Measured {
        counts,
        timings: books.timings.into_inner(),
        herd_seconds,
        queries,
        machine,
    };
    Ok(Report::new(options, measured))
}

/// How many arrivals one message in each conversation leads to, at the clients that are back.
fn arrivals(books: &Books) -> usize {
    let conversations = books.conversations.borrow();
    conversations.iter().map(|book| book.back).sum()
}

/// What `--count-queries` prints now; 0 without it.
async fn asked(options: &Options) -> anyhow::Result<u64> {
    match &options.count_queries {
        Some(command) => queries::count(command).await,
        None => Ok(0),
    }
}

/// The running tasks of a herd and what they share.
struct Running {
    books: Rc<Books>,
    tasks: Vec<JoinHandle<()>>,
}
