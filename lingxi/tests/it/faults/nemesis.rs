//! Breaks things as planned, puts them right again, and measures how long it takes until all is well.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::board::{Board, Found};
use super::disk::Watch;
use super::plan::{Blow, Fault, Target, Wave};
use super::summary::{Struck, Summary};
use crate::harness::{Deployment, Kind, User};

/// How long a fault waits for a moment at which something can be lost.
const MOMENT: Duration = Duration::from_secs(8);
/// How long a process may take to end after SIGTERM.
const DRAIN: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(5);

pub(super) struct Nemesis<'a> {
    pub(super) lx: &'a mut Deployment,
    pub(super) board: Arc<Board>,
    /// Steady members: user and conversation.
    pub(super) members: Vec<(String, String)>,
    pub(super) summary: Summary,
    /// How long everybody may take to have everything, when nobody writes any more.
    pub(super) patience: Duration,
    /// How long the system may take to work again everywhere after the last fault of a wave.
    pub(super) recovery: Duration,
    /// ACKs at the last fault.
    pub(super) acked: u64,
    /// Who asks for something small while the disk fails.
    pub(super) prober: User,
    /// When the database server is to be started again, if it has ended or hangs: while its disk fails, and behind that.
    pub(super) database: Option<Instant>,
    /// What is said about the disk that fails.
    pub(super) watch: Option<Watch>,
    /// Processes that are to run, with whether they were seen ready since their start.
    pub(super) nodes: Vec<Watched>,
}

/// A process of the cluster, as an operator's supervisor knows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watched {
    /// When it is to be started again, if it has ended: not while it is down on purpose.
    pub(super) again: Option<Instant>,
    pub(super) started: Instant,
}

impl Watched {
    /// One that has been running for long.
    pub(super) fn running(now: Instant) -> Self {
        Self {
            again: Some(now),
            started: now,
        }
    }
}

/// A fault under way.
struct Active {
    blow: Blow,
    found: Found,
    begun: Instant,
    /// SIGTERM was sent, and the process has not ended yet.
    draining: bool,
    ended: Option<Instant>,
}

/// A process that ends so soon after its start could not start: a server it needs was away.
const STARTING: Duration = Duration::from_secs(8);

impl Nemesis<'_> {
    /// One wave, and what follows. Answers whether the system works again.
    pub(super) async fn strike(&mut self, number: usize, wave: &Wave) -> bool {
        let orders = |board: &Board, talk, stay| {
            board.order(|orders| (orders.talk, orders.stay) = (talk, stay))
        };
        if wave.hush.is_some() {
            orders(&self.board, true, true);
        }
        let unrest = self.board.now();
        let start = Instant::now();
        let mut waiting: Vec<Blow> = wave.blows.clone();
        let mut active: Vec<Active> = Vec::new();
        let mut first: Option<Instant> = None;
        let mut hushed = false;
        loop {
            let now = Instant::now();
            let due = waiting.first().is_some_and(|blow| {
                let since = first.unwrap_or(start);
                now.duration_since(since) >= Duration::from_millis(blow.at)
            });
            if due {
                let blow = waiting.remove(0);
                let found = self.moment(&blow, first.is_none()).await;
                let begun = Instant::now();
                first.get_or_insert(begun);
                let draining = self.begin(&blow).await;
                active.push(Active {
                    blow,
                    found,
                    begun,
                    draining,
                    ended: None,
                });
            }
            for one in active.iter_mut().filter(|one| one.ended.is_none()) {
                self.end_if_due(one).await;
            }
            // Not before the last fault has struck: it is to find messages in flight.
            if let (Some(after), Some(first), false, true) =
                (wave.hush, first, hushed, waiting.is_empty())
                && first.elapsed() >= Duration::from_millis(after)
            {
                hushed = true;
                orders(&self.board, false, true);
            }
            self.supervise().await;
            if waiting.is_empty() && active.iter().all(|one| one.ended.is_some()) {
                break;
            }
            tokio::time::sleep(STEP).await;
        }
        let mut converged = None;
        if wave.hush.is_some() {
            orders(&self.board, false, true);
            converged = self.converge(&format!("wave {number}: {wave}")).await;
        }
        orders(&self.board, true, true);
        let recovered = self
            .recover(number, wave, &active, wave.hush.is_none())
            .await;
        self.board
            .lock()
            .recording
            .unrest
            .push((unrest, self.board_now()));
        orders(&self.board, true, false);
        self.database = None;
        if let Some(watch) = self.watch.take() {
            self.judge(wave, &watch, recovered[0]);
        }
        self.tell(number, wave, &active, converged, &recovered);
        recovered.iter().all(Option::is_some) && (wave.hush.is_none() || converged.is_some())
    }

    fn board_now(&self) -> u64 {
        self.board.now()
    }

    /// Waits until there is something to lose: messages in flight, and ACKs since the fault before.
    async fn moment(&mut self, blow: &Blow, strict: bool) -> Found {
        let start = Instant::now();
        loop {
            let found = {
                let shared = self.board.lock();
                Found {
                    in_flight: shared.in_flight(),
                    acked: shared.acked - self.acked,
                }
            };
            // While another fault lasts there may be no ACKs; there are messages that wait for them.
            if found.in_flight > 0 && (found.acked > 0 || !strict) {
                if strict {
                    self.acked = self.board.lock().acked;
                }
                return found;
            }
            if start.elapsed() > MOMENT {
                let what = format!("{} found {found:?}", blow.fault.name());
                self.board.incident("Idle", what);
                return found;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Breaks it. Answers whether it is a process that has yet to end.
    async fn begin(&mut self, blow: &Blow) -> bool {
        match (blow.fault, blow.target) {
            (
                Fault::KillGateway
                | Fault::KillChatWorker
                | Fault::KillAiWorker
                | Fault::KillProcess,
                Target::Node(node),
            ) => {
                self.nodes[node].again = None;
                (self.lx.process(node).killer())();
            }
            (Fault::DrainGateway | Fault::DrainChatWorker, Target::Node(node)) => {
                self.nodes[node].again = None;
                self.lx.process(node).sigterm();
                return true;
            }
            (_, Target::Node(node)) => self.lx.process(node).pause().await,
            (_, Target::Disk) => self.strike_disk(blow),
            (
                Fault::KillNats | Fault::EmptyNats | Fault::KillMariaDb | Fault::KillRedis,
                Target::Server(kind),
            ) => {
                (self.lx.server(kind).process.killer())();
            }
            (_, Target::Server(kind)) => self.lx.server(kind).process.pause().await,
            (fault, Target::Link(node, kind)) => {
                let link = self.lx.links[node].to(kind);
                match fault {
                    Fault::SilenceNats | Fault::SilenceMariaDb => link.silence(blow.direction),
                    _ => drop(link.cut_one(blow.pick)),
                }
            }
            (fault, Target::Edge(gateway)) => {
                let edge = &self.lx.edges[gateway];
                match fault {
                    Fault::SilenceClient => edge.silence(blow.direction),
                    _ => drop(edge.cut_one(blow.pick)),
                }
            }
        }
        false
    }

    /// Puts it right again when its time is over.
    async fn end_if_due(&mut self, one: &mut Active) {
        let blow = one.blow;
        if one.draining {
            let Target::Node(node) = blow.target else {
                return;
            };
            if self.lx.process(node).ended().is_none() {
                if one.begun.elapsed() < DRAIN {
                    return;
                }
                let what = format!("{} {node} did not end within {DRAIN:?}", blow.fault.name());
                self.board.incident("NotDrained", what);
                (self.lx.process(node).killer())();
            }
            one.draining = false;
        }
        if one.begun.elapsed() < Duration::from_millis(blow.lasts) {
            return;
        }
        match (blow.fault, blow.target) {
            (
                Fault::KillGateway
                | Fault::KillChatWorker
                | Fault::KillAiWorker
                | Fault::KillProcess
                | Fault::DrainGateway
                | Fault::DrainChatWorker,
                Target::Node(node),
            ) => self.start_again(node).await,
            (_, Target::Node(node)) => self.lx.process(node).wake(),
            (_, Target::Disk) => self.mend_disk(),
            (
                Fault::KillNats | Fault::EmptyNats | Fault::KillMariaDb | Fault::KillRedis,
                Target::Server(kind),
            ) => {
                self.restart(kind, blow.fault == Fault::EmptyNats).await;
            }
            (_, Target::Server(kind)) => self.lx.server(kind).process.wake(),
            (Fault::SilenceNats | Fault::SilenceMariaDb, Target::Link(node, kind)) => {
                let link = self.lx.links[node].to(kind);
                // Half of them end as a connection that is reset: what was silent is lost for good.
                if blow.pick.is_multiple_of(2) {
                    link.cut();
                }
                link.speak();
            }
            (Fault::SilenceClient, Target::Edge(gateway)) => {
                let edge = &self.lx.edges[gateway];
                if blow.pick.is_multiple_of(2) {
                    edge.cut();
                }
                edge.speak();
            }
            _ => {}
        }
        one.ended = Some(Instant::now());
    }

    async fn start_again(&mut self, node: usize) {
        self.lx.respawn(node).await;
        let now = Instant::now();
        self.nodes[node] = Watched {
            again: Some(now),
            started: now,
        };
    }

    async fn restart(&mut self, kind: Kind, empty: bool) {
        let server = self.lx.server_mut(kind);
        server.process.exit().await;
        if empty {
            server.empty();
        }
        // It waits for its answer.
        tokio::task::block_in_place(|| server.restart());
    }

    /// Starts processes again that have ended by themselves: at their start, because a server was away; any other end is
    /// no good.
    pub(super) async fn supervise(&mut self) {
        self.supervise_database().await;
        for node in 0..self.nodes.len() {
            let Watched { again, started } = self.nodes[node];
            let Some(again) = again else { continue };
            if Instant::now() < again {
                continue;
            }
            let Some(status) = self.lx.process(node).ended() else {
                continue;
            };
            if started.elapsed() > STARTING {
                let what = format!("process {node} ended by itself: {status}");
                self.board.incident("Died", what);
            }
            self.start_again(node).await;
            // As an operator's supervisor does, not at once.
            self.nodes[node].again = Some(Instant::now() + Duration::from_millis(300));
        }
    }

    /// Waits, while nobody writes, until everything is acknowledged and everybody has everything. Answers how long it
    /// took.
    pub(super) async fn converge(&mut self, when: &str) -> Option<Duration> {
        let start = Instant::now();
        while start.elapsed() < self.patience {
            if self.board.has_converged(&self.members) {
                return Some(start.elapsed());
            }
            self.supervise().await;
            tokio::time::sleep(STEP).await;
        }
        let missing = self.board.missing(&self.members);
        let shown = missing[..missing.len().min(12)].join("; ");
        let what = format!("{} s after {when}: {shown}", self.patience.as_secs());
        self.board.incident("NotConverged", what);
        None
    }

    /// Waits until every conversation works again after each fault; answers how long that took.
    async fn recover(
        &mut self,
        number: usize,
        wave: &Wave,
        active: &[Active],
        from_end: bool,
    ) -> Vec<Option<Duration>> {
        let now = Instant::now();
        let since: Vec<Instant> = active
            .iter()
            .map(|one| match one.ended {
                _ if !from_end => now,
                Some(_) if one.blow.fault.has_a_substitute() => one.begun,
                ended => ended.unwrap_or(now),
            })
            .collect();
        let mut recovered: Vec<Option<Duration>> = vec![None; active.len()];
        let told = |watch: &Option<Watch>| watch.as_ref().is_none_or(Watch::is_back);
        while now.elapsed() < self.recovery
            && (recovered.iter().any(Option::is_none) || !told(&self.watch))
        {
            for (since, recovered) in since.iter().zip(&mut recovered) {
                if recovered.is_none() && self.board.has_recovered(*since) {
                    *recovered = Some(since.elapsed());
                }
            }
            self.supervise().await;
            tokio::time::sleep(STEP).await;
        }
        if let Some(at) = recovered.iter().position(Option::is_none) {
            let stale = self.board.stale(since[at]);
            let what = format!("{:?} after wave {number}: {wave}: {stale:?}", self.recovery);
            self.board.incident("NotRecovered", what);
        }
        recovered
    }

    fn tell(
        &mut self,
        number: usize,
        wave: &Wave,
        active: &[Active],
        converged: Option<Duration>,
        recovered: &[Option<Duration>],
    ) {
        let found: Vec<_> = active.iter().map(|one| one.found).collect();
        let shown = |time: &Option<Duration>| {
            time.map_or("never".to_owned(), |time| {
                format!("{:.1} s", time.as_secs_f64())
            })
        };
        let recoveries: Vec<String> = recovered.iter().map(shown).collect();
        println!(
            "{:6.1} s wave {number:3}: {wave}: found {found:?}; converged {}; recovered {}",
            self.summary.elapsed().as_secs_f64(),
            if wave.hush.is_some() {
                shown(&converged)
            } else {
                "-".to_owned()
            },
            recoveries.join(", "),
        );
        for (one, recovered) in active.iter().zip(recovered) {
            let alone = active.len() == 1;
            self.summary.struck(Struck {
                fault: one.blow.fault,
                found: one.found,
                lasted: one.ended.map_or(Duration::ZERO, |ended| ended - one.begun),
                recovered: recovered.filter(|_| wave.hush.is_none()),
                converged: converged.filter(|_| wave.hush.is_some()),
                alone,
            });
        }
    }
}
