//! The system under load: who is there, what they talk in, and what is read from the database in the end.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lingxi_bench::simulator::{Script, Simulator};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::board::Board;
use super::churn::Churn;
use super::person::{Person, Room};
use super::plan::roles;
use super::questions::Asker;
use crate::evidence::{CursorSeen, Entry, Log, Owed};
use crate::harness::database::Source;
use crate::harness::{Deployment, Dice, Mode, User};

/// Users who write.
const PEOPLE: usize = 16;
/// Members of each group who stay.
const GROUP: usize = 5;
const GROUPS: usize = 4;
/// Users who are in every group, and only read.
const LISTENERS: usize = 4;
/// Users who come to groups, and leave or are removed.
const GUESTS: usize = 3;
const ASKERS: usize = 3;
/// How often cursors are looked at.
const LOOK: Duration = Duration::from_millis(700);
/// The longest that is waited for what was written last.
const ARRIVAL: Duration = Duration::from_secs(10);

pub(super) struct World {
    pub(super) lx: Deployment,
    pub(super) board: Arc<Board>,
    /// The database itself, past the proxies.
    database: Source,
    simulator: Arc<Simulator>,
    /// Who is a member of what and stays: user, conversation.
    pub(super) members: Vec<(String, String)>,
    /// One member of each room, with how to ask for its history.
    readers: Vec<(User, Room)>,
    /// Asks for something small again and again, to hear what is answered.
    pub(super) prober: User,
    /// Users by their ids.
    names: HashMap<u64, String>,
    pub(super) people: usize,
    /// When the load began.
    pub(super) begun: Instant,
    tasks: Vec<JoinHandle<()>>,
    looking: JoinHandle<()>,
}

impl World {
    pub(super) async fn begin(mode: Mode, dice: &mut Dice) -> Self {
        let simulator = Simulator::start(Script::default()).await;
        let simulator = Arc::new(simulator.expect("a model"));
        let lx = mode
            .options()
            .roles(roles(mode))
            .proxied()
            .failing_disk()
            .with("LINGXI__AI__PROVIDERS__0__NAME", "simulator")
            .with("LINGXI__AI__PROVIDERS__0__BASE_URL", simulator.base_url())
            .with("LINGXI__AI__PROVIDERS__0__API_KEY", "a key")
            .with("LINGXI__AI__PROVIDERS__0__MODEL", "a model")
            .start()
            .await;
        let database = Source::of(&lx);
        let board = Arc::new(Board::new());
        let doors: Vec<String> = lx
            .edges
            .iter()
            .map(|edge| format!("http://{}", edge.address()))
            .collect();
        let users = |prefix: &str, count| {
            let names: Vec<String> = (0..count).map(|n| format!("{prefix}{n}")).collect();
            let lx = &lx;
            async move {
                let mut users = Vec::new();
                for name in &names {
                    users.push(lx.user(name).await);
                }
                users
            }
        };
        let people = users("user", PEOPLE).await;
        let listeners = users("listener", LISTENERS).await;
        let guests = users("guest", GUESTS).await;
        let askers = users("asker", ASKERS).await;
        let mut rooms: Vec<Vec<Room>> = vec![Vec::new(); PEOPLE];
        for (one, other) in pairs() {
            let (a, b) = (&people[one], &people[other]);
            let key = format!("d:{}:{}", a.id.min(b.id), a.id.max(b.id));
            rooms[one].push(private(&key, &b.name));
            rooms[other].push(private(&key, &a.name));
        }
        let mut groups = Vec::new();
        let mut group_rooms = Vec::new();
        for group in 0..GROUPS {
            let first = group * (PEOPLE / GROUPS);
            let owner = &people[first];
            let id = owner.create_group(&format!("group {group}")).await;
            let room = Room {
                key: format!("g:{id}"),
                to: json!({"type": 4, "group_id": id}),
                of: format!("group_id={id}"),
            };
            rooms[first].push(room.clone());
            for member in 1..GROUP {
                let member = (first + member) % PEOPLE;
                people[member].join(id).await.ok();
                rooms[member].push(room.clone());
            }
            for listener in &listeners {
                listener.join(id).await.ok();
            }
            groups.push((id, owner.clone()));
            group_rooms.push(room);
        }
        let mut world = Self {
            names: people
                .iter()
                .chain(&listeners)
                .chain(&guests)
                .chain(&askers)
                .map(|user| (user.id, user.name.clone()))
                .collect(),
            members: Vec::new(),
            readers: Vec::new(),
            prober: people[0].clone(),
            people: PEOPLE + LISTENERS + GUESTS,
            begun: Instant::now(),
            tasks: Vec::new(),
            looking: tokio::spawn(async {}),
            lx,
            board: Arc::clone(&board),
            database,
            simulator: Arc::clone(&simulator),
        };
        for (user, rooms) in people.iter().zip(&rooms) {
            for room in rooms {
                world.members.push((user.name.clone(), room.key.clone()));
                if !world.readers.iter().any(|(_, known)| known.key == room.key) {
                    world.readers.push((user.clone(), room.clone()));
                }
            }
        }
        for listener in &listeners {
            let keys = group_rooms.iter().map(|room| room.key.clone());
            world
                .members
                .extend(keys.map(|key| (listener.name.clone(), key)));
        }
        world.watch_rooms();
        world.looking = tokio::spawn(look(
            world.database.clone(),
            Arc::clone(&board),
            world.names.clone(),
        ));
        for (user, rooms) in people.iter().zip(rooms) {
            let person = Person {
                user: user.clone(),
                rooms,
                writes: true,
                doors: doors.clone(),
                dice: dice.split(),
                board: Arc::clone(&board),
                written: 0,
            };
            world.tasks.push(tokio::spawn(person.live()));
        }
        for guest in listeners.iter().chain(&guests) {
            let person = Person {
                user: guest.clone(),
                rooms: group_rooms.clone(),
                writes: false,
                doors: doors.clone(),
                dice: dice.split(),
                board: Arc::clone(&board),
                written: 0,
            };
            world.tasks.push(tokio::spawn(person.live()));
        }
        for user in askers {
            let asker = Asker {
                user,
                doors: doors.clone(),
                dice: dice.split(),
                board: Arc::clone(&board),
                simulator: Arc::clone(&simulator),
            };
            world.tasks.push(tokio::spawn(asker.live()));
        }
        let churn = Churn {
            board,
            dice: dice.split(),
            doors,
            groups,
            guests,
            writers: people,
            brief: None,
            invited: None,
            deck: Vec::new(),
            edits: 0,
        };
        world.tasks.push(tokio::spawn(churn.run()));
        world
    }

    /// Tells the board from which entry on each member is to have everything.
    fn watch_rooms(&self) {
        let joined = self.query("SELECT conversation, user_id, joined_seq FROM members");
        for (user, conversation) in &self.members {
            self.board.watch(conversation);
            let row = joined.iter().find(|row| {
                row[0] == *conversation && self.names.get(&number(&row[1])) == Some(user)
            });
            // A private conversation begins with its first message.
            let first = row.map_or(1, |row| number(&row[2]));
            self.board.begins_at(user, conversation, first);
        }
    }

    fn query(&self, sql: &str) -> Vec<Vec<String>> {
        self.database.query(sql)
    }

    /// Ends the load, and adds to the recording what the database and the history say.
    pub(super) async fn end(&mut self) {
        if !self.board.orders.borrow().lost {
            self.arrive().await;
        }
        self.board.order(|orders| orders.stop = true);
        for task in self.tasks.drain(..) {
            task.await.expect("a client that did not panic");
        }
        let finished = || {
            let left = "SELECT id FROM runs WHERE finished_at IS NULL";
            let left = self.query(left);
            left.into_iter().map(|mut row| row.remove(0)).collect()
        };
        let start = Instant::now();
        let mut unfinished: Vec<String> = finished();
        let longest = match self.board.orders.borrow().lost {
            true => Duration::ZERO,
            false => Duration::from_secs(60),
        };
        while !unfinished.is_empty() && start.elapsed() < longest {
            tokio::time::sleep(LOOK).await;
            unfinished = finished();
        }
        self.looking.abort();
        let logs = self.logs().await;
        let owed = self.owed(&logs);
        let mut counts: HashMap<String, usize> = HashMap::new();
        let groups = "SELECT name FROM chat_groups WHERE name LIKE 'faults %'";
        for row in self.query(groups) {
            *counts.entry(row[0].clone()).or_default() += 1;
        }
        let violations = self.simulator.violations();
        let miscounted = self.miscounted();
        let mut shared = self.board.lock();
        let unanswered: Vec<_> = shared
            .waiting
            .iter()
            .flat_map(|(user, waiting)| {
                waiting
                    .iter()
                    .map(|(msg_id, _)| (user.clone(), msg_id.clone()))
            })
            .collect();
        let recording = &mut shared.recording;
        recording.unanswered = unanswered;
        recording.logs = logs;
        recording.owed = owed;
        recording.unfinished = unfinished;
        for effect in &mut recording.effects {
            effect.count = counts.get(&effect.what).copied().unwrap_or_default();
        }
        for what in miscounted {
            recording.incidents.push(("Miscounted", what));
        }
        for violation in violations {
            let what = format!("{violation:?}");
            recording.incidents.push(("ModelMisused", what));
        }
    }

    /// Every log as the database has it, and every room's as a member reads it.
    async fn logs(&self) -> Vec<Log> {
        let mut logs = self.stored();
        for (reader, room) in &self.readers {
            let rows = reader.log(&room.of).await;
            logs.push(Log {
                reader: reader.name.clone(),
                conversation: room.key.clone(),
                entries: rows.iter().map(crate::evidence::entry_of).collect(),
            });
        }
        logs
    }

    fn stored(&self) -> Vec<Log> {
        let rows = self.query(
            "SELECT conversation, seq, id, sender_id, IFNULL(msg_id, ''), \
             CASE WHEN kind = 1 AND recalled_at IS NULL THEN content ELSE '' END, kind, \
             CASE WHEN kind BETWEEN 4 AND 8 THEN IFNULL(target, 0) ELSE 0 END FROM entries ORDER BY conversation, seq",
        );
        let mut logs: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        for row in rows {
            let from = self.names.get(&number(&row[3])).cloned();
            logs.entry(row[0].clone()).or_default().push(Entry {
                seq: number(&row[1]),
                id: number(&row[2]),
                from: from.unwrap_or_default(),
                msg_id: row[4].clone(),
                content: event_of(&row[6]).map_or_else(|| row[5].clone(), str::to_owned),
                target: self
                    .names
                    .get(&number(&row[7]))
                    .cloned()
                    .unwrap_or_default(),
            });
        }
        logs.into_iter()
            .map(|(conversation, entries)| Log {
                reader: "the database".to_owned(),
                conversation,
                entries,
            })
            .collect()
    }

    /// Waits, while nobody writes, until what was written last has arrived: whoever comes and goes has no head to be known
    /// by. What does not arrive is found by the checker.
    async fn arrive(&self) {
        let start = Instant::now();
        while start.elapsed() < ARRIVAL && !self.has_arrived() {
            tokio::time::sleep(LOOK).await;
        }
    }

    fn has_arrived(&self) -> bool {
        let owed = self.owed(&self.stored());
        let shared = self.board.lock();
        let received: BTreeSet<(&str, &str, u64)> = shared
            .recording
            .received
            .iter()
            .map(|one| {
                (
                    one.reader.as_str(),
                    one.conversation.as_str(),
                    one.entry.seq,
                )
            })
            .collect();
        let has = |of: &Owed, seq: u64| {
            received.contains(&(of.reader.as_str(), of.conversation.as_str(), seq))
        };
        !shared.churning
            && owed
                .iter()
                .all(|of| of.seqs.iter().all(|&seq| has(of, seq)))
    }

    /// Reactions that are in the log twice in a row, or with another count than there are, and mentions that are not found.
    fn miscounted(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut reacted: BTreeMap<(u64, String), BTreeSet<u64>> = BTreeMap::new();
        let log = "SELECT target, sender_id, detail FROM entries WHERE kind = 11 ORDER BY conversation, seq";
        for row in self.query(log) {
            let said: Value = serde_json::from_str(&row[2]).expect("a reaction");
            let emoji = said["emoji"].as_str().expect("an emoji").to_owned();
            let of = reacted.entry((number(&row[0]), emoji)).or_default();
            let changed = match said["on"] == true {
                true => of.insert(number(&row[1])),
                false => of.remove(&number(&row[1])),
            };
            if !changed || said["count"] != of.len() {
                wrong.push(format!("a reaction: {row:?}"));
            }
        }
        // With a recalled message they are gone.
        let recalled = self.query("SELECT id FROM entries WHERE recalled_at IS NOT NULL");
        let recalled: BTreeSet<u64> = recalled.iter().map(|row| number(&row[0])).collect();
        reacted.retain(|(message, _), of| !recalled.contains(message) && !of.is_empty());
        let counted = "SELECT c.message_id, c.emoji, c.count, (SELECT COUNT(*) FROM reactions r \
                       WHERE r.message_id = c.message_id AND r.emoji = c.emoji) FROM reaction_counts c";
        let counted = self.query(counted);
        for row in &counted {
            let of = reacted.remove(&(number(&row[0]), row[1].clone()));
            let right = of.is_some_and(|of| of.len().to_string() == row[2]) && row[2] == row[3];
            if !right {
                wrong.push(format!("a count of reactions: {row:?}"));
            }
        }
        wrong.extend(reacted.keys().map(|lost| format!("not counted: {lost:?}")));
        let lost = "SELECT e.id FROM entries e LEFT JOIN mentions m ON m.conversation = e.conversation AND m.seq = e.seq \
                    WHERE e.kind = 1 AND e.detail LIKE '%mentions%' AND \
                    (e.recalled_at IS NULL) = (m.conversation IS NULL)";
        let lost = self.query(lost);
        wrong.extend(lost.iter().map(|row| format!("a mention: {row:?}")));
        wrong
    }

    /// What each present member must have: everything from where they joined.
    fn owed(&self, logs: &[Log]) -> Vec<Owed> {
        let members = self
            .query("SELECT conversation, user_id, joined_seq FROM members WHERE left_seq IS NULL");
        let mut owed = Vec::new();
        for row in members {
            let log = logs.iter().find(|log| log.conversation == row[0]);
            let (Some(log), Some(reader)) = (log, self.names.get(&number(&row[1]))) else {
                continue;
            };
            // Askers have no sockets.
            if reader.starts_with("asker") {
                continue;
            }
            let joined = number(&row[2]);
            let seqs = log.entries.iter().map(|entry| entry.seq);
            owed.push(Owed {
                reader: reader.clone(),
                conversation: log.conversation.clone(),
                seqs: seqs.filter(|seq| *seq >= joined).collect(),
            });
        }
        owed
    }

    /// Connections that the gateways have open, by their own count.
    pub(super) async fn connections(&self) -> Option<usize> {
        let mut open = 0.0;
        for gateway in 0..self.lx.edges.len() {
            let url = self.lx.internal_url(gateway, "/metrics");
            let asked = self.lx.http.get(url).send().await.ok()?;
            let text = asked.text().await.ok()?;
            let line = text
                .lines()
                .find(|line| line.starts_with("lingxi_connections "));
            open += line
                .and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok())
                .unwrap_or_default();
        }
        Some(open.round() as usize)
    }
}

fn number(text: &str) -> u64 {
    text.parse()
        .unwrap_or_else(|_| panic!("no number: {text:?}"))
}

fn private(key: &str, to: &str) -> Room {
    Room {
        key: key.to_owned(),
        to: json!({"type": 2, "to": to}),
        of: format!("username={to}"),
    }
}

/// Neighbours, and users far from each other.
fn pairs() -> Vec<(usize, usize)> {
    let near = (0..PEOPLE / 2).map(|pair| (2 * pair, 2 * pair + 1));
    let far = (0..PEOPLE / 2).map(|one| (one, PEOPLE - 1 - one));
    let far = far.filter(|(one, other)| one + 1 != *other);
    near.chain(far).collect()
}

/// Looks at all cursors again and again, and writes down what changed.
async fn look(database: Source, board: Arc<Board>, names: HashMap<u64, String>) {
    let query = "SELECT conversation, user_id, joined_seq, delivered_seq, read_seq FROM members";
    let mut known: HashMap<(String, String), Vec<String>> = HashMap::new();
    loop {
        tokio::time::sleep(LOOK).await;
        // The database may be away or paused.
        let Some(rows) = database.try_query(query).await else {
            continue;
        };
        let mut shared = board.lock();
        let received = shared.recording.received.len();
        for row in rows {
            let Some(reader) = names.get(&number(&row[1])) else {
                continue;
            };
            let member = (row[0].clone(), row[1].clone());
            if known.get(&member) == Some(&row) {
                continue;
            }
            shared.recording.cursors.push(CursorSeen {
                reader: reader.clone(),
                conversation: row[0].clone(),
                received,
                joined: number(&row[2]),
                delivered: number(&row[3]),
                read: number(&row[4]),
            });
            known.insert(member, row);
        }
    }
}

/// The event that clients see of an entry, by its kind in the database; none of a message.
fn event_of(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "2" => "recalled",
        "3" => "edited",
        "4" => "group_joined",
        "5" => "group_invited",
        "6" => "group_left",
        "7" => "group_kicked",
        "8" | "9" => "group_updated",
        "10" => "group_dismissed",
        "11" => "reacted",
        _ => return None,
    })
}
