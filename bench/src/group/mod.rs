//! `bench group`: messages in one large group, timed until they are at every member who is online.

mod books;
mod member;
mod report;
#[cfg(test)]
mod tests;

use std::{path::PathBuf, pin::pin, rc::Rc, sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use clap::Args;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::{
    task::LocalSet,
    time::{Instant, sleep, sleep_until, timeout_at},
};

use self::{books::Books, member::Member};
pub use self::{books::Counts, report::Report};
use crate::{
    chat::{bell, message},
    client::{Accounts, Endpoint, Group, Socket},
    output::{self, note},
    process::{Fleet, Named},
};

/// Connections that are opened at once.
const CONCURRENCY: usize = 64;
/// How long all listen on for repeats when everything has come.
const QUIET: Duration = Duration::from_millis(300);

/// The group and what is said in it.
#[derive(Args, Debug, Clone)]
#[command(
    after_help = "Start the servers with LINGXI__RATE_LIMITS=off and LINGXI__BCRYPT_COST=4.\n\
    Exit status: 0 every member who is online got every message once and in order; 1 some did not; 2 it could not run."
)]
#[group(skip)]
pub struct Options {
    /// The gateways, with commas between: members who are online are at each in turn
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// Members, the owner included
    #[arg(long, default_value_t = 1000)]
    pub members: usize,
    /// Members who are online
    #[arg(long, default_value_t = 500)]
    pub online: usize,
    /// Members who write, of those online
    #[arg(long, default_value_t = 10)]
    pub senders: usize,
    /// Messages, over all senders
    #[arg(long, default_value_t = 200)]
    pub messages: u32,
    /// Messages a second, over all senders
    #[arg(long, default_value_t = 20.0)]
    pub rate: f64,
    /// Bytes of content a message
    #[arg(long, default_value_t = 100)]
    pub size: usize,
    /// Seconds to wait before the start and at the end for what is still on its way
    #[arg(long, default_value_t = 30.0)]
    pub drain: f64,
    /// Processes to report the CPU and memory of: PID, or NAME=PID,NAME=PID
    #[arg(long, value_delimiter = ',')]
    pub pid: Vec<Named>,
    /// Write the results as JSON here (- is standard output)
    #[arg(long)]
    pub json: Option<PathBuf>,
}

/// Runs the subcommand. `false`: a message was lost, repeated, out of order or never answered.
///
/// # Errors
/// When the group could not be made.
pub async fn command(options: &Options) -> anyhow::Result<bool> {
    let report = run(options).await?;
    report.print();
    if let Some(path) = &options.json {
        output::json(path, &report)?;
    }
    Ok(report.clean())
}

/// Runs one load and returns its measurements.
///
/// # Errors
/// When users, the group or sockets cannot be made, or its members do not get a first message.
pub async fn run(options: &Options) -> anyhow::Result<Report> {
    ensure!(
        (2..=options.members).contains(&options.online),
        "--online must be 2 to --members"
    );
    ensure!(
        (1..=options.online).contains(&options.senders),
        "--senders must be 1 to --online"
    );
    ensure!(options.messages > 0, "--messages must be at least 1");
    ensure!(
        options.rate > 0.0 && options.rate.is_finite(),
        "--rate must be above 0"
    );
    ensure!(
        (0.0..=86_400.0).contains(&options.drain),
        "--drain must be 0 to 86400"
    );
    ensure!(
        (message::STAMP..=16 * 1024).contains(&options.size),
        "--size must be {} to 16384",
        message::STAMP
    );
    let fleet = Fleet::of(&options.pid)?;
    let endpoints = Endpoint::resolve_all(&options.url).await?;
    note(&format!("{} users", options.members));
    let accounts = Accounts::new(&endpoints)?;
    let rest = accounts.rest().clone();
    let accounts = accounts.create(options.members).await?;
    let (owner, others) = accounts.split_first().context("--members is 0")?;
    let begun = Instant::now();
    let group = Group::create(&rest, owner, options.members).await?;
    group.join(&rest, others).await?;
    let join_seconds = begun.elapsed().as_secs_f64();
    note(&format!("all joined in {join_seconds:.1} s; connecting"));

    // Those who joined last have the fewest entries to catch up with.
    let online = accounts.iter().rev().take(options.online).enumerate();
    let sockets: Vec<Socket> = stream::iter(online)
        .map(|(number, account)| {
            let endpoint = &endpoints[number % endpoints.len()];
            Socket::connect(endpoint, &account.token, number)
        })
        .buffered(CONCURRENCY)
        .try_collect()
        .await
        .context("cannot open a socket (open files: see ulimit -n, here and at the server)")?;
    let work = LocalSet::new();
    work.run_until(talk(options, &fleet, group, sockets, join_seconds))
        .await
}

/// Lets the members write and read.
async fn talk(
    options: &Options,
    fleet: &Fleet,
    group: Group,
    sockets: Vec<Socket>,
    join_seconds: f64,
) -> anyhow::Result<Report> {
    let books = Rc::new(Books::new(options)?);
    let mut tasks = Vec::with_capacity(sockets.len());
    for (number, socket) in sockets.into_iter().enumerate() {
        let member = Member::new(number, options, group, Rc::clone(&books));
        tasks.push(tokio::task::spawn_local(member.run(socket)));
    }
    let drain = Duration::from_secs_f64(options.drain);
    // Entries of joining come before it, in bulk and with gaps; all checks begin behind it.
    let ready = books
        .until(Instant::now() + drain, |b| b.ready() == options.online)
        .await;
    ensure!(
        ready,
        "only {} of {} members got a first message: raise --drain",
        books.ready(),
        options.online
    );

    note(&format!(
        "{} messages at {}/s",
        options.messages, options.rate
    ));
    let start = Instant::now() + Duration::from_millis(50);
    let seconds = f64::from(options.messages) / options.rate;
    // Half a period before the message behind the last.
    let end = start + Duration::from_secs_f64(seconds - 0.5 / options.rate);
    let bells = bell::ring(options.senders, options.rate, start, end)?;
    books.begin(start, Arc::clone(&bells));
    sleep_until(start).await;
    let before = fleet.sample();
    sleep_until(end).await;
    books.until(end + drain, Books::settled).await;
    let machine = fleet.spent(&before, &fleet.sample());
    sleep(QUIET).await;
    books.finish();
    for task in tasks {
        let mut task = pin!(task);
        timeout_at(Instant::now() + drain, task.as_mut())
            .await
            .context("a member does not end")??;
    }
    Ok(Report::new(options, join_seconds, &books, machine))
}
