//! The system under load: who is there, and what they talk in.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use lingxi_bench::simulator::{Script, Simulator};
use serde_json::json;
use tokio::task::JoinHandle;

use super::board::Board;
use super::churn::Churn;
use super::cursors::look;
use super::outcome::number;
use super::person::{Person, Room};
use super::plan::roles;
use super::questions::Asker;
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
pub(super) struct World {
    pub(super) lx: Deployment,
    pub(super) board: Arc<Board>,
    /// The database itself, past the proxies.
    pub(super) database: Source,
    pub(super) simulator: Arc<Simulator>,
    /// Who is a member of what and stays: user, conversation.
    pub(super) members: Vec<(String, String)>,
    /// One member of each room, with how to ask for its history.
    pub(super) readers: Vec<(User, Room)>,
    /// Asks for something small again and again, to hear what is answered.
    pub(super) prober: User,
    /// Users by their ids.
    pub(super) names: HashMap<u64, String>,
    pub(super) people: usize,
    /// When the load began.
    pub(super) begun: Instant,
    pub(super) tasks: Vec<JoinHandle<()>>,
    pub(super) looking: JoinHandle<()>,
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

    pub(super) fn query(&self, sql: &str) -> Vec<Vec<String>> {
        self.database.query(sql)
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
