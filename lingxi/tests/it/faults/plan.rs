//! What is broken when: a pure function of the seed.

use std::fmt;

use crate::harness::{Dice, Direction, DiskFault, Kind, Mode};

/// The processes of the cluster under test.
const CLUSTER: &[&str] = &[
    "gateway",
    "gateway",
    "chat-worker",
    "chat-worker",
    "ai-worker",
    "ai-worker",
];
const GATEWAYS: [usize; 2] = [0, 1];
const CHAT_WORKERS: [usize; 2] = [2, 3];
const AI_WORKERS: [usize; 2] = [4, 5];

/// The processes under test.
pub(super) fn roles(mode: Mode) -> &'static [&'static str] {
    match mode {
        Mode::Cluster => CLUSTER,
        Mode::Embedded => &["all"],
    }
}

/// Everything that can be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    KillGateway,
    KillChatWorker,
    KillAiWorker,
    PauseGateway,
    PauseChatWorker,
    PauseAiWorker,
    DrainGateway,
    DrainChatWorker,
    KillNats,
    EmptyNats,
    PauseNats,
    KillMariaDb,
    PauseMariaDb,
    KillRedis,
    PauseRedis,
    CutNats,
    CutMariaDb,
    CutRedis,
    CutClient,
    SilenceNats,
    SilenceMariaDb,
    SilenceClient,
    FullDisk,
    ReadOnlyDisk,
    FailingDisk,
    SlowDisk,
    /// The one process of an embedded deployment.
    KillProcess,
}

/// How a fault is called, in plans, tables and `LINGXI_TEST_FAULTS`.
pub(super) const NAMES: &[(Fault, &str)] = &[
    (Fault::KillGateway, "kill-gateway"),
    (Fault::KillChatWorker, "kill-chat-worker"),
    (Fault::KillAiWorker, "kill-ai-worker"),
    (Fault::PauseGateway, "pause-gateway"),
    (Fault::PauseChatWorker, "pause-chat-worker"),
    (Fault::PauseAiWorker, "pause-ai-worker"),
    (Fault::DrainGateway, "drain-gateway"),
    (Fault::DrainChatWorker, "drain-chat-worker"),
    (Fault::KillNats, "kill-nats"),
    (Fault::EmptyNats, "empty-nats"),
    (Fault::PauseNats, "pause-nats"),
    (Fault::KillMariaDb, "kill-mariadb"),
    (Fault::PauseMariaDb, "pause-mariadb"),
    (Fault::KillRedis, "kill-redis"),
    (Fault::PauseRedis, "pause-redis"),
    (Fault::CutNats, "cut-nats"),
    (Fault::CutMariaDb, "cut-mariadb"),
    (Fault::CutRedis, "cut-redis"),
    (Fault::CutClient, "cut-client"),
    (Fault::SilenceNats, "silence-nats"),
    (Fault::SilenceMariaDb, "silence-mariadb"),
    (Fault::SilenceClient, "silence-client"),
    (Fault::FullDisk, "full-disk"),
    (Fault::ReadOnlyDisk, "read-only-disk"),
    (Fault::FailingDisk, "failing-disk"),
    (Fault::SlowDisk, "slow-disk"),
    (Fault::KillProcess, "kill-process"),
];

impl Fault {
    pub(super) fn name(self) -> &'static str {
        let found = NAMES.iter().find(|(fault, _)| *fault == self);
        found.expect("every fault has a name").1
    }

    pub(super) fn named(name: &str) -> Self {
        let found = NAMES.iter().find(|(_, known)| *known == name);
        found
            .unwrap_or_else(|| panic!("no fault is called {name:?}; there are {NAMES:?}"))
            .0
    }

    /// Whether there is such a thing to break.
    pub(super) fn is_of(self, mode: Mode) -> bool {
        match mode {
            Mode::Cluster => self != Self::KillProcess,
            Mode::Embedded => self == Self::KillProcess || self.is_of_the_disk(),
        }
    }

    pub(super) fn is_of_the_disk(self) -> bool {
        matches!(
            self,
            Self::FullDisk | Self::ReadOnlyDisk | Self::FailingDisk | Self::SlowDisk
        )
    }

    /// Whether another process of its kind does the work meanwhile, so that recovery counts from the fault's beginning.
    pub(super) fn has_a_substitute(self) -> bool {
        matches!(
            self,
            Self::KillGateway | Self::KillChatWorker | Self::DrainGateway | Self::DrainChatWorker
        )
    }
}

/// How much longer a slow disk takes for a sync, and for a write that waits for it.
const SLOW_MS: u32 = 300;
/// How long it takes until a disk that cannot grow fails what is written.
const FILLING: u64 = 3500;

/// What is broken: nothing else of the same wave touches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// A process of the cluster.
    Node(usize),
    /// A server.
    Server(Kind),
    /// One process's connections to a server.
    Link(usize, Kind),
    /// Clients' connections to a gateway.
    Edge(usize),
    /// What everything is stored on.
    Disk,
}

impl Target {
    fn clashes(self, other: Self) -> bool {
        let node = |target| match target {
            Self::Node(node) | Self::Link(node, _) | Self::Edge(node) => Some(node),
            Self::Server(_) | Self::Disk => None,
        };
        let server = |target| match target {
            Self::Server(kind) | Self::Link(_, kind) => Some(kind),
            // The database server's.
            Self::Disk => Some(Kind::MariaDb),
            _ => None,
        };
        let same = |one: Option<usize>, two| one.is_some() && one == two;
        same(node(self), node(other)) || (server(self).is_some() && server(self) == server(other))
    }
}

/// One fault to come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blow {
    pub(super) fault: Fault,
    pub(super) target: Target,
    /// Milliseconds after the wave's beginning.
    pub(super) at: u64,
    /// How long it lasts, in milliseconds.
    pub(super) lasts: u64,
    /// Which way is silenced.
    pub(super) direction: Direction,
    /// Which of several connections is cut, whether what was silent is cut in the end, how full a disk is.
    pub(super) pick: u64,
}

impl Blow {
    /// What becomes of the disk.
    pub(super) fn of_the_disk(&self) -> Option<DiskFault> {
        match self.fault {
            Fault::FullDisk if self.pick.is_multiple_of(2) => Some(DiskFault::Full),
            Fault::FullDisk => Some(DiskFault::NoRoom),
            Fault::ReadOnlyDisk => Some(DiskFault::ReadOnly),
            Fault::FailingDisk => Some(DiskFault::Errors),
            Fault::SlowDisk => Some(DiskFault::Slow(SLOW_MS)),
            _ => None,
        }
    }
}

/// Faults that overlap, and what follows before the next.
#[derive(Debug, Clone)]
pub(super) struct Wave {
    pub(super) blows: Vec<Blow>,
    /// Nobody writes anything new from so many milliseconds after the first blow on: what is lost cannot be noticed by
    /// what follows it.
    pub(super) hush: Option<u64>,
}

impl fmt::Display for Wave {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, blow) in self.blows.iter().enumerate() {
            if number > 0 {
                write!(out, ", ")?;
            }
            write!(out, "{} {:?}", blow.fault.name(), blow.target)?;
            if matches!(
                blow.fault,
                Fault::SilenceNats | Fault::SilenceMariaDb | Fault::SilenceClient
            ) {
                write!(out, " {:?}", blow.direction)?;
            }
            if let Some(fault) = blow.of_the_disk() {
                write!(out, " {fault:?}")?;
            }
            write!(out, " at {} for {} ms", blow.at, blow.lasts)?;
        }
        match self.hush {
            Some(after) => write!(out, "; nobody writes from {after} ms on"),
            None => Ok(()),
        }
    }
}

/// A fault to be dealt, with what is not left to chance: for planted faults.
#[derive(Debug, Clone, Copy)]
struct Card {
    fault: Fault,
    node: Option<usize>,
    direction: Option<Direction>,
}

impl Card {
    fn of(fault: Fault) -> Self {
        Self {
            fault,
            node: None,
            direction: None,
        }
    }

    /// `silence-nats`, or more exactly `silence-nats@0/down`; `full-disk@0` cannot grow, `full-disk@1` takes nothing.
    fn named(text: &str) -> Self {
        let (text, direction) = match text.split_once('/') {
            Some((text, "up")) => (text, Some(Direction::Up)),
            Some((text, _)) => (text, Some(Direction::Down)),
            None => (text, None),
        };
        let (name, node) = match text.split_once('@') {
            Some((name, node)) => (name, Some(node.parse().expect("a process's number"))),
            None => (text, None),
        };
        Self {
            fault: Fault::named(name),
            node,
            direction,
        }
    }

    fn refine(self, blow: &mut Blow) {
        if let Some(node) = self.node {
            blow.target = match blow.target {
                Target::Node(_) => Target::Node(node),
                Target::Link(_, kind) => Target::Link(node, kind),
                Target::Edge(_) => Target::Edge(node),
                server @ Target::Server(_) => server,
                Target::Disk => {
                    blow.pick = node as u64;
                    Target::Disk
                }
            };
        }
        if let Some(direction) = self.direction {
            // Short, and what was silent is lost: nobody notices by himself.
            (blow.direction, blow.pick, blow.lasts) = (direction, 0, 1500);
        }
    }
}

/// Waves without end, or of some faults only.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    dice: Dice,
    kinds: Vec<Card>,
    /// What is still to be dealt of this round.
    deck: Vec<Card>,
    round: u64,
    /// One at a time, and nobody writes after any: for planted faults.
    pub(super) directed: bool,
}

impl Plan {
    pub(super) fn new(seed: u64, mode: Mode) -> Self {
        let faults = NAMES.iter().map(|(fault, _)| *fault);
        Self {
            dice: Dice(seed),
            kinds: faults
                .filter(|fault| fault.is_of(mode))
                .map(Card::of)
                .collect(),
            deck: Vec::new(),
            round: 0,
            directed: false,
        }
    }

    /// Only these, by name, separated by commas.
    pub(super) fn only(seed: u64, mode: Mode, names: &str) -> Self {
        let kinds: Vec<Card> = names.split(',').map(Card::named).collect();
        for card in &kinds {
            let name = card.fault.name();
            assert!(
                card.fault.is_of(mode),
                "there is no {name} in mode {mode:?}"
            );
        }
        Self {
            kinds,
            directed: true,
            ..Self::new(seed, mode)
        }
    }

    /// How many rounds are dealt out completely: so often came every kind.
    pub(super) fn rounds(&self) -> u64 {
        if self.deck.is_empty() {
            self.round
        } else {
            self.round - 1
        }
    }

    pub(super) fn next(&mut self) -> Wave {
        if self.deck.is_empty() {
            self.round += 1;
            self.deck = self.kinds.clone();
            if !self.directed {
                self.dice.shuffle(&mut self.deck);
            }
        }
        let size = match self.dice.below(10) {
            _ if self.directed => 1,
            0..=3 => 1,
            4..=7 => 2,
            _ => 3,
        };
        let mut blows: Vec<Blow> = Vec::new();
        let mut at = 0;
        // Every other round they strike alone: only then what is told of them is judged.
        let alone = |card: &Card| card.fault.is_of_the_disk() && !self.round.is_multiple_of(2);
        let size = if self.deck.first().is_some_and(alone) {
            1
        } else {
            size
        };
        let (disks, others): (Vec<Card>, Vec<Card>) = match size {
            1 => (Vec::new(), std::mem::take(&mut self.deck)),
            _ => std::mem::take(&mut self.deck).into_iter().partition(alone),
        };
        self.deck = disks;
        let mut left = others.into_iter();
        while blows.len() < size
            && let Some(card) = left.next()
        {
            let mut blow = self.blow(card.fault, at);
            card.refine(&mut blow);
            if blows.iter().any(|other| other.target.clashes(blow.target)) {
                self.deck.push(card);
                continue;
            }
            blows.push(blow);
            at += self.dice.between(100, 1200);
        }
        self.deck.extend(left);
        let hush = self.directed || self.dice.chance(50);
        let longest = blows.iter().map(|blow| blow.at + blow.lasts).max();
        let longest = longest.unwrap_or_default();
        let hush = hush.then(|| match self.directed {
            // Long enough that something is lost, too short for windows to fill: what waits in them would be written
            // behind it.
            true => 120,
            false => self.dice.between(30, longest.max(200)),
        });
        // It is what is written that makes it full.
        let full = blows.iter().find(|blow| blow.fault == Fault::FullDisk);
        let hush = hush.map(|hush| full.map_or(hush, |full| hush.max(full.at + FILLING)));
        Wave { blows, hush }
    }

    fn blow(&mut self, fault: Fault, at: u64) -> Blow {
        let dice = &mut self.dice;
        let gateway = GATEWAYS[dice.index(2)];
        let worker = CHAT_WORKERS[dice.index(2)];
        let assistant = AI_WORKERS[dice.index(2)];
        // Those in the path of every message are hit more often than assistants.
        let any = [gateway, worker, gateway, worker, assistant][dice.index(5)];
        let (target, from, to) = match fault {
            Fault::KillGateway => (Target::Node(gateway), 200, 2000),
            Fault::KillChatWorker => (Target::Node(worker), 200, 3000),
            Fault::KillAiWorker => (Target::Node(assistant), 200, 2000),
            Fault::PauseGateway => (Target::Node(gateway), 1000, 7000),
            // The lease is six seconds: every other pause is longer.
            Fault::PauseChatWorker if !self.round.is_multiple_of(2) => {
                (Target::Node(worker), 7000, 11_000)
            }
            Fault::PauseChatWorker => (Target::Node(worker), 1000, 5000),
            Fault::PauseAiWorker => (Target::Node(assistant), 1000, 9000),
            Fault::DrainGateway => (Target::Node(gateway), 0, 500),
            Fault::DrainChatWorker => (Target::Node(worker), 0, 500),
            Fault::KillNats | Fault::EmptyNats => (Target::Server(Kind::Nats), 50, 2000),
            Fault::PauseNats => (Target::Server(Kind::Nats), 1000, 6000),
            Fault::KillMariaDb => (Target::Server(Kind::MariaDb), 50, 1500),
            Fault::PauseMariaDb => (Target::Server(Kind::MariaDb), 500, 3000),
            Fault::KillRedis => (Target::Server(Kind::Redis), 50, 2000),
            Fault::PauseRedis => (Target::Server(Kind::Redis), 500, 4000),
            Fault::CutNats => (Target::Link(any, Kind::Nats), 0, 0),
            Fault::CutMariaDb => (Target::Link(any, Kind::MariaDb), 0, 0),
            Fault::CutRedis => (Target::Link(any, Kind::Redis), 0, 0),
            Fault::CutClient => (Target::Edge(gateway), 0, 0),
            Fault::SilenceNats => (Target::Link(any, Kind::Nats), 1000, 6000),
            Fault::SilenceMariaDb => (Target::Link(any, Kind::MariaDb), 1000, 4000),
            Fault::SilenceClient => (Target::Edge(gateway), 1000, 5000),
            // Longer than it may take to be told.
            Fault::FullDisk => (Target::Disk, 6500, 7500),
            Fault::ReadOnlyDisk | Fault::FailingDisk => (Target::Disk, 5200, 6500),
            Fault::SlowDisk => (Target::Disk, 3000, 5000),
            Fault::KillProcess => (Target::Node(0), 50, 2000),
        };
        Blow {
            fault,
            target,
            at,
            lasts: dice.between(from, to),
            direction: if dice.chance(50) {
                Direction::Up
            } else {
                Direction::Down
            },
            pick: dice.below(1 << 32),
        }
    }
}

#[test]
fn a_seed_is_a_plan_and_a_round_has_every_kind() {
    let waves = |mode, seed| {
        let mut plan = Plan::new(seed, mode);
        let mut waves = Vec::new();
        while plan.rounds() < 3 {
            waves.push(plan.next());
        }
        waves
    };
    let shown = |waves: &[Wave]| waves.iter().map(Wave::to_string).collect::<Vec<_>>();
    for mode in [Mode::Cluster, Mode::Embedded] {
        assert_eq!(shown(&waves(mode, 7)), shown(&waves(mode, 7)));
        assert_ne!(shown(&waves(mode, 7)), shown(&waves(mode, 8)));
        for (fault, name) in NAMES.iter().filter(|(fault, _)| fault.is_of(mode)) {
            let waves = waves(mode, 7);
            let blows = waves.iter().flat_map(|wave| &wave.blows);
            assert_eq!(blows.filter(|blow| blow.fault == *fault).count(), 3);
            let alone = waves
                .iter()
                .filter(|wave| matches!(&wave.blows[..], [blow] if blow.fault == *fault));
            let judged = alone.count() >= 2 || !fault.is_of_the_disk();
            assert!(
                judged,
                "{name} strikes alone in the first round and the third"
            );
        }
        for wave in waves(mode, 9) {
            for (at, one) in wave.blows.iter().enumerate() {
                let mut others = wave.blows[at + 1..].iter();
                assert!(
                    others.all(|other| !one.target.clashes(other.target)),
                    "{wave}"
                );
            }
        }
    }
    let mut only = Plan::only(1, Mode::Cluster, "kill-nats,silence-client@1/down");
    assert_eq!(only.next().blows[0].fault, Fault::KillNats);
    let second = only.next().blows[0];
    assert_eq!(second.fault, Fault::SilenceClient);
    assert_eq!(
        (second.target, second.direction),
        (Target::Edge(1), Direction::Down)
    );
    assert_eq!(only.rounds(), 1);
    let mut full = Plan::only(1, Mode::Embedded, "full-disk@0,full-disk@1");
    assert_eq!(full.next().blows[0].of_the_disk(), Some(DiskFault::Full));
    assert_eq!(full.next().blows[0].of_the_disk(), Some(DiskFault::NoRoom));
}
