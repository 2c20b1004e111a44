//! `bench chat`: pairs of users write to each other; every message is timed and checked.
//!
//! Closed loop: each sender keeps a window of unacknowledged messages. Open loop: messages are due at a fixed rate, and
//! latencies count from when a message was *due*, so a server that stalls pays for the messages it held up.

pub(crate) mod bell;
pub(crate) mod message;
pub mod order;
mod party;
mod report;
mod tally;

use std::{cell::RefCell, path::PathBuf, rc::Rc, sync::Arc, time::Duration};

use anyhow::ensure;
use clap::Args;
use tokio::{task::LocalSet, time::Instant};

use self::{
    party::{Half, Pace, Party, Plan},
    tally::Tally,
};
pub use self::{report::Report, tally::Counts};
pub use crate::latency::Latency;
use crate::{
    client::{Accounts, Endpoint, Socket},
    output,
    process::{Fleet, Named},
};

/// What to load a server with.
#[derive(Args, Debug, Clone)]
#[command(
    after_help = "A load test needs a server without rate limits (LINGXI__RATE_LIMITS=off); \
    LINGXI__BCRYPT_COST=4 makes the registrations quick.\n\
    Exit status: 0 all messages arrived once and in order; 1 some did not; 2 it could not run."
)]
pub struct Options {
    /// The server; its gateways, with commas between: the two users of a pair are at different ones
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// Pairs of users; in each, both write to the other
    #[arg(long, default_value_t = 20)]
    pub pairs: usize,
    /// Seconds that are measured
    #[arg(long, default_value_t = 10.0)]
    pub duration: f64,
    /// Seconds of load before that
    #[arg(long, default_value_t = 2.0)]
    pub warmup: f64,
    /// Closed loop: messages that each sender keeps unacknowledged
    #[arg(long, default_value_t = 8, conflicts_with = "rate")]
    pub window: u32,
    /// Open loop: messages a second, over all senders
    #[arg(long)]
    pub rate: Option<f64>,
    /// Bytes of content a message
    #[arg(long, default_value_t = 100)]
    pub size: usize,
    /// Each recipient says of each message that it was read, as one who looks at the conversation does
    #[arg(long)]
    pub read: bool,
    /// Seconds to wait at the end for what is still on its way
    #[arg(long, default_value_t = 10.0)]
    pub drain: f64,
    /// The server's process, to report its CPU and memory too; of several: NAME=PID,NAME=PID
    #[arg(long, value_delimiter = ',')]
    pub pid: Vec<Named>,
    /// Write the results as JSON here (- is standard output)
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// No line of progress a second
    #[arg(long)]
    pub quiet: bool,
}

/// Runs the subcommand. `false`: a message was lost, repeated, out of order or never answered.
///
/// # Errors
/// When the load could not be run.
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
/// When users cannot be made or sockets not opened.
pub async fn run(options: &Options) -> anyhow::Result<Report> {
    ensure!(options.pairs > 0, "--pairs must be at least 1");
    ensure!(
        options.duration > 0.0 && options.duration.is_finite(),
        "--duration must be above 0"
    );
    ensure!(
        (message::STAMP..=16 * 1024).contains(&options.size),
        "--size must be {} to 16384",
        message::STAMP
    );
    ensure!(options.window > 0, "--window must be at least 1");
    ensure!(
        options.rate.is_none_or(|rate| rate > 0.0),
        "--rate must be above 0"
    );

    let fleet = Fleet::of(&options.pid)?;
    let endpoints = Endpoint::resolve_all(&options.url).await?;
    let accounts = Accounts::new(&endpoints)?;
    let accounts = accounts.create(options.pairs * 2).await?;
    let mut sockets = Vec::with_capacity(accounts.len());
    for (number, account) in accounts.iter().enumerate() {
        let endpoint = &endpoints[gateway_of(number, endpoints.len())];
        sockets.push(Socket::connect(endpoint, &account.token, number).await?);
    }
    // The handshake is over before the server has subscribed the user: a short rest keeps the first messages `delivered`.
    tokio::time::sleep(Duration::from_millis(300)).await;

    let start = Instant::now() + Duration::from_millis(50);
    let measured_from = start + Duration::from_secs_f64(options.warmup);
    let end = measured_from + Duration::from_secs_f64(options.duration);
    let tally = Rc::new(RefCell::new(Tally::new(
        measured_from - start,
        end - start,
    )?));
    let senders = accounts.len();
    let halves: Vec<_> = (0..senders)
        .map(|_| Rc::new(RefCell::new(Half::default())))
        .collect();
    let bells = match options.rate {
        Some(rate) => bell::ring(senders, rate, start, end)?,
        None => bell::silent(senders),
    };
    let work = LocalSet::new();
    let mut tasks = Vec::with_capacity(senders);
    for (number, socket) in sockets.into_iter().enumerate() {
        let other = number ^ 1;
        let pace = match options.rate {
            None => Pace::Window(options.window as usize),
            Some(rate) => {
                let period = senders as f64 / rate;
                let first = period * number as f64 / senders as f64;
                Pace::Period {
                    first: Duration::from_secs_f64(first),
                    period: Duration::from_secs_f64(period),
                }
            }
        };
        let plan = Plan {
            me: accounts[number].username.clone(),
            other: accounts[other].username.clone(),
            size: options.size,
            read: options.read,
            pace,
            start,
            end,
            give_up: end + Duration::from_secs_f64(options.drain),
            bells: Arc::clone(&bells),
            number,
        };
        let party = Party::new(
            plan,
            Rc::clone(&halves[number]),
            Rc::clone(&halves[other]),
            Rc::clone(&tally),
        );
        tasks.push(work.spawn_local(party.run(socket)));
    }
    let progress =
        (!options.quiet).then(|| work.spawn_local(tally::progress(Rc::clone(&tally), start)));
    work.run_until(async {
        tokio::time::sleep_until(measured_from).await;
        let before = fleet.sample();
        tokio::time::sleep_until(end).await;
        let after = fleet.sample();
        for task in tasks {
            task.await?;
        }
        if let Some(progress) = progress {
            progress.abort();
        }
        let machine = fleet.spent(&before, &after);
        Ok(Report::new(options, &tally.borrow(), &halves, machine))
    })
    .await
}

/// Which of `gateways` user `number` is at: the left one of a pair at one, the right one at the next.
fn gateway_of(number: usize, gateways: usize) -> usize {
    (number / 2 + number % 2) % gateways
}

#[cfg(test)]
mod tests {
    use super::gateway_of;

    #[test]
    fn a_pair_is_at_two_gateways_and_all_gateways_have_users() {
        for gateways in 2..5 {
            let at: Vec<_> = (0..40).map(|user| gateway_of(user, gateways)).collect();
            assert!(at.chunks(2).all(|pair| pair[0] != pair[1]), "{at:?}");
            assert!((0..gateways).all(|gateway| at.contains(&gateway)));
        }
        assert!((0..40).all(|user| gateway_of(user, 1) == 0));
    }
}
