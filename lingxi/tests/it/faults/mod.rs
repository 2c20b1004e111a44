//! Everything breaks, again and again, under load; every promise is kept. A cluster is struck everywhere; the one process of
//! an embedded deployment by the faults of its disk, and by kill -9.
//!
//! [`plan`] says from a seed what is broken when, [`nemesis`] does it, [`disk`] hears what is said of a disk, [`person`], [`questions`] and [`churn`] are the
//! load, [`board`] is what they write down, and the checker in [`crate::evidence`] judges it.
//!
//! `LINGXI_TEST_SEED` repeats a plan; `LINGXI_TEST_SOAK_MINUTES` makes the run long; `LINGXI_TEST_FAULTS` names the faults
//! of a short one, each struck alone, while nobody writes behind it; `LINGXI_TEST_PATIENCE` is how many seconds everybody
//! may then take to have everything, and the system to work again; `LINGXI_TEST_SUMMARY` is the file for the table.

mod board;
mod churn;
mod counts;
mod cursors;
mod disk;
mod nemesis;
mod outcome;
mod person;
mod plan;
mod questions;
mod summary;
mod world;

use std::sync::Arc;
use std::time::{Duration, Instant};

use self::board::Board;
use self::nemesis::{Nemesis, Watched};
use self::plan::{NAMES, Plan, roles};
use self::summary::Summary;
use self::world::World;
use crate::evidence::{check, kinds, overtaken};
use crate::harness::{Dice, Mode, seed};

/// Rounds of every kind of fault, without a soak.
const ROUNDS: u64 = 4;
/// No new wave after this time, without a soak, once every kind has struck.
const SHORT: Duration = Duration::from_secs(165);
/// How long the last comparison may take to come round, and some.
const PATIENCE: Duration = Duration::from_secs(45);
/// How long the system may take to work again everywhere after the last fault of a wave.
const RECOVERY: Duration = Duration::from_secs(60);
/// The least number of acknowledged messages a fault: fewer is no load.
const FLOOR: usize = 20;
/// How often every kind must strike in a soak.
const SOAKED: usize = 10;

fn number_from(name: &str) -> Option<u64> {
    let given = std::env::var(name).ok()?;
    Some(
        given
            .parse()
            .unwrap_or_else(|_| panic!("{name} is a number")),
    )
}

/// What is to be done, and when it is enough.
struct Course {
    mode: Mode,
    plan: Plan,
    soak: Option<Duration>,
    patience: Duration,
    recovery: Duration,
}

impl Course {
    fn of(mode: Mode, seed: u64) -> Self {
        let plan = match std::env::var("LINGXI_TEST_FAULTS") {
            Ok(names) => Plan::only(seed, mode, &names),
            Err(_) => Plan::new(seed, mode),
        };
        let soak = number_from("LINGXI_TEST_SOAK_MINUTES");
        let given = number_from("LINGXI_TEST_PATIENCE");
        Self {
            mode,
            plan,
            soak: soak.map(|minutes| Duration::from_secs(minutes * 60)),
            patience: given.map_or(PATIENCE, Duration::from_secs),
            recovery: given.map_or(RECOVERY, Duration::from_secs),
        }
    }

    fn is_over(&self, elapsed: Duration) -> bool {
        let rounds = self.plan.rounds();
        match self.soak {
            Some(soak) => elapsed >= soak,
            None if self.plan.directed || self.mode == Mode::Embedded => rounds >= 1,
            None => rounds >= ROUNDS || (rounds >= 1 && elapsed >= SHORT),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_at_once() {
    run(Mode::Cluster).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_disk_of_one_process() {
    run(Mode::Embedded).await;
}

async fn run(mode: Mode) {
    let seed = seed();
    println!("LINGXI_TEST_SEED={seed}");
    let mut course = Course::of(mode, seed);
    // The load's chances are its own: the plan does not depend on them.
    let mut world = World::begin(mode, &mut Dice(seed ^ 0x10ad)).await;
    let board = Arc::clone(&world.board);
    assert!(
        Board::until(Duration::from_secs(30), || board.has_recovered(world.begun)).await,
        "the load does not begin: {:?}",
        board.stale(world.begun)
    );
    let now = Instant::now();
    let mut nemesis = Nemesis {
        lx: &mut world.lx,
        board: Arc::clone(&board),
        members: world.members.clone(),
        summary: Summary::new(seed),
        patience: course.patience,
        recovery: course.recovery,
        acked: 0,
        prober: world.prober.clone(),
        database: None,
        watch: None,
        nodes: vec![Watched::running(now); roles(mode).len()],
    };
    let mut number = 0;
    while !course.is_over(nemesis.summary.elapsed()) {
        number += 1;
        if !nemesis.strike(number, &course.plan.next()).await {
            println!("the run ends here: the system does not recover");
            board.order(|orders| orders.lost = true);
            break;
        }
    }
    board.order(|orders| (orders.talk, orders.stay) = (false, true));
    let converged = match nemesis.converge("the end").await {
        Some(after) => format!("everybody had everything {after:.1?} after the end"),
        None => "not everybody had everything at last".to_owned(),
    };
    println!("{converged}");
    let summary = nemesis.summary;
    let mut open = None;
    for _ in 0..100 {
        open = world.connections().await;
        if open == Some(world.people) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    if open != Some(world.people) {
        let what = format!("{} users have {open:?} connections", world.people);
        board.incident("Connections", what);
    }
    world.end().await;
    let recording = std::mem::take(&mut board.lock().recording);
    let totals = vec![
        format!("{} messages sent", recording.sent.len()),
        format!("{} ACKs", recording.acks.len()),
        format!("{} attempts refused as unavailable", board.lock().put_off),
        format!("{} entries received", recording.received.len()),
        format!(
            "{} entries overtaken and made up for",
            overtaken(&recording)
        ),
        format!("{} connections", recording.connections.len()),
        format!("{} cursor moves seen", recording.cursors.len()),
        format!("{} questions answered", recording.runs.len()),
        format!("{} groups made by tools", recording.effects.len()),
        converged,
    ];
    let broken = check(&recording);
    println!("{}", summary.markdown(&totals, broken.len()));
    summary.write(&totals, broken.len(), &recording);
    let shown = &broken[..broken.len().min(25)];
    assert!(
        broken.is_empty(),
        "{} promises broken, seed {seed}: {:?}: {shown:#?}",
        broken.len(),
        kinds(&broken)
    );
    assert!(
        recording.acks.len() >= FLOOR * summary.faults(),
        "only {} ACKs in {} faults: the load was idle",
        recording.acks.len(),
        summary.faults()
    );
    if course.soak.is_some() {
        for (fault, name) in NAMES.iter().filter(|(fault, _)| fault.is_of(mode)) {
            let count = summary.count(*fault);
            assert!(count >= SOAKED, "{name} struck {count} times only");
        }
    }
}
