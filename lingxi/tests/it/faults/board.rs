//! What all clients share: the recording, what is in flight, and what they are told to do.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tokio::sync::watch;

use crate::evidence::{Ack, Connection, Ended, Received, Recording, entry_of};

/// What clients are to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Orders {
    /// Write new messages.
    pub(super) talk: bool,
    /// Keep the connection, and come back at once when it is gone.
    pub(super) stay: bool,
    /// Write long messages, which need room.
    pub(super) large: bool,
    /// All is lost already: wait for nothing more.
    pub(super) lost: bool,
    /// End.
    pub(super) stop: bool,
}

/// What was going on when a fault struck.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Found {
    /// Messages sent and not acknowledged.
    pub(super) in_flight: usize,
    /// ACKs since the fault before.
    pub(super) acked: u64,
}

/// Which seqs of a conversation a user has.
#[derive(Debug, Default)]
pub(super) struct Seen {
    upto: u64,
    beyond: BTreeSet<u64>,
}

impl Seen {
    fn add(&mut self, seq: u64) {
        if seq > self.upto {
            self.beyond.insert(seq);
        }
        while self.beyond.remove(&(self.upto + 1)) {
            self.upto += 1;
        }
    }

    /// Everything from 1 up to here.
    pub(super) fn upto(&self) -> u64 {
        self.upto
    }
}

/// A message of which not everything is known that can be.
#[derive(Debug)]
struct Pending {
    conversation: String,
    sent: Instant,
    acked: bool,
    /// Somebody else received it.
    arrived: bool,
}

#[derive(Debug, Default)]
struct Room {
    /// The highest seq that anybody has heard of.
    head: u64,
    /// When the newest message was written that is acknowledged and has arrived.
    fresh: Option<Instant>,
}

/// What a user has written and has no ACK of, oldest first, with the last time it was sent.
pub(super) type Waiting = VecDeque<(String, Instant)>;

#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) recording: Recording,
    pending: HashMap<String, Pending>,
    rooms: HashMap<String, Room>,
    seen: HashMap<(String, String), Seen>,
    /// Waiting for their ACKs, by user.
    pub(super) waiting: HashMap<String, Waiting>,
    pub(super) acked: u64,
    /// Attempts that were refused as `unavailable`.
    pub(super) put_off: u64,
    /// The last message of each user, which may be recalled or edited: its id and `msg_id`.
    pub(super) recallable: HashMap<String, (u64, String)>,
    connections: HashMap<String, u64>,
    /// Something else than messages is being written.
    pub(super) churning: bool,
}

impl Shared {
    pub(super) fn in_flight(&self) -> usize {
        self.waiting.values().map(VecDeque::len).sum()
    }
}

#[derive(Debug)]
pub(super) struct Board {
    start: Instant,
    shared: Mutex<Shared>,
    pub(super) orders: watch::Sender<Orders>,
}

impl Board {
    pub(super) fn new() -> Self {
        let orders = Orders {
            talk: true,
            stay: false,
            large: false,
            lost: false,
            stop: false,
        };
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        let epoch_ms = epoch.expect("after 1970").as_millis();
        let mut shared = Shared::default();
        shared.recording.epoch_ms = u64::try_from(epoch_ms).expect("before long");
        Self {
            start: Instant::now(),
            shared: Mutex::new(shared),
            orders: watch::Sender::new(orders),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since the recording began.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(super) fn order(&self, change: impl FnOnce(&mut Orders)) {
        self.orders.send_modify(change);
    }

    /// A room that is to be watched.
    pub(super) fn watch(&self, conversation: &str) {
        self.lock()
            .rooms
            .entry(conversation.to_owned())
            .or_default();
    }

    /// From which entry on a user is to have everything.
    pub(super) fn begins_at(&self, user: &str, conversation: &str, first: u64) {
        let key = (user.to_owned(), conversation.to_owned());
        self.lock().seen.entry(key).or_default().upto = first - 1;
    }

    /// A message that is about to be sent for the first time.
    pub(super) fn announce(&self, sender: &str, conversation: &str, msg_id: &str, content: String) {
        let mut shared = self.lock();
        let key = (sender.to_owned(), msg_id.to_owned());
        shared.recording.sent.insert(key, content);
        let sent = Instant::now();
        let waiting = shared.waiting.entry(sender.to_owned()).or_default();
        waiting.push_back((msg_id.to_owned(), sent));
        let pending = Pending {
            conversation: conversation.to_owned(),
            sent,
            acked: false,
            arrived: false,
        };
        shared.pending.insert(msg_id.to_owned(), pending);
    }

    /// A connection is begun; answers its number.
    pub(super) fn begin_connection(&self, user: &str) -> u64 {
        let begun = self.now();
        let mut shared = self.lock();
        let number = shared.connections.entry(user.to_owned()).or_default();
        *number += 1;
        let number = *number;
        shared.recording.connections.push(Connection {
            user: user.to_owned(),
            number,
            begun,
            opened: None,
            ended: None,
        });
        number
    }

    /// Notes what became of a connection.
    pub(super) fn connection(
        &self,
        user: &str,
        number: u64,
        note: impl FnOnce(&mut Connection, u64),
    ) {
        let now = self.now();
        let mut shared = self.lock();
        let mut connections = shared.recording.connections.iter_mut().rev();
        let found = connections.find(|one| one.user == user && one.number == number);
        note(found.expect("a connection that was begun"), now);
    }

    /// A connection has ended, the first reason counts.
    pub(super) fn ended(&self, user: &str, number: u64, how: Ended) {
        self.connection(user, number, |connection, now| {
            connection.ended.get_or_insert((now, how));
        });
    }

    /// An ACK that came on one of the user's connections.
    pub(super) fn acknowledged(&self, user: &str, frame: &Value) {
        let msg_id = frame["msg_id"].as_str().unwrap_or_default().to_owned();
        let mut guard = self.lock();
        let shared = &mut *guard;
        // A life sign; or a receipt that could not be taken, which is no message and may be sent again.
        if frame["status"] == "received" || msg_id.is_empty() {
            return;
        }
        // Surely not taken, and worth another try: it waits for that.
        if frame["status"] == "failed" && frame["reason"] == "unavailable" {
            shared.put_off += 1;
            return;
        }
        if frame["status"] != "stored" && frame["status"] != "delivered" {
            shared.recording.refused.push(format!("{user}: {frame}"));
            return;
        }
        let of_user = shared.waiting.entry(user.to_owned()).or_default();
        if let Some(at) = of_user.iter().position(|(waiting, _)| *waiting == msg_id) {
            of_user.remove(at);
            shared.acked += 1;
        }
        let (id, seq) = (frame["id"].as_u64(), frame["seq"].as_u64());
        let (Some(id), Some(seq)) = (id, seq) else {
            shared.recording.refused.push(format!("{user}: {frame}"));
            return;
        };
        // The conversation is in the msg_id, which is this test's own: see `Person::write`.
        let conversation = msg_id.rsplit('/').next().unwrap_or_default().to_owned();
        shared
            .rooms
            .entry(conversation.clone())
            .or_default()
            .raise(seq);
        if let Some(pending) = shared.pending.get_mut(&msg_id) {
            pending.acked = true;
            shared
                .recallable
                .insert(user.to_owned(), (id, msg_id.clone()));
        }
        shared.settle(&msg_id);
        shared.recording.acks.push(Ack {
            conversation,
            sender: user.to_owned(),
            msg_id,
            id,
            seq,
        });
    }

    /// An entry that reached a user, on a connection or by a pull.
    pub(super) fn received(&self, user: &str, connection: Option<u64>, frame: &Value) {
        let entry = entry_of(frame);
        let conversation = frame["conversation"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let mut guard = self.lock();
        let shared = &mut *guard;
        // In others, which come and go, nobody writes.
        if let Some(room) = shared.rooms.get_mut(&conversation) {
            room.raise(entry.seq);
        }
        let key = (user.to_owned(), conversation.clone());
        shared.seen.entry(key).or_default().add(entry.seq);
        if let Some(pending) = shared.pending.get_mut(&entry.msg_id) {
            pending.arrived |= entry.from != user;
            let msg_id = entry.msg_id.clone();
            shared.settle(&msg_id);
        }
        shared.recording.received.push(Received {
            reader: user.to_owned(),
            conversation,
            connection,
            entry,
        });
    }

    /// How far a user has everything of a conversation.
    pub(super) fn has_upto(&self, user: &str, conversation: &str) -> u64 {
        let shared = self.lock();
        let key = (user.to_owned(), conversation.to_owned());
        shared.seen.get(&key).map_or(0, Seen::upto)
    }

    /// Whether every room has had a message that was written after `since`, is acknowledged and has arrived.
    pub(super) fn has_recovered(&self, since: Instant) -> bool {
        let fresh = |room: &Room| room.fresh.is_some_and(|fresh| fresh >= since);
        self.lock().rooms.values().all(fresh)
    }

    /// The rooms that have not recovered.
    pub(super) fn stale(&self, since: Instant) -> Vec<String> {
        let shared = self.lock();
        let stale = |room: &Room| room.fresh.is_none_or(|fresh| fresh < since);
        let mut rooms: Vec<String> = shared
            .rooms
            .iter()
            .filter(|(_, room)| stale(room))
            .map(|(key, _)| key.clone())
            .collect();
        rooms.sort_unstable();
        rooms
    }

    /// What still waits: messages without an ACK, and steady members (user, conversation) that lack entries.
    pub(super) fn missing(&self, members: &[(String, String)]) -> Vec<String> {
        let shared = self.lock();
        let mut missing: Vec<String> = shared
            .waiting
            .iter()
            .filter(|(_, waiting)| !waiting.is_empty())
            .map(|(user, waiting)| format!("{user} waits for {} ACKs", waiting.len()))
            .collect();
        for (user, conversation) in members {
            let head = shared.rooms.get(conversation).map_or(0, |room| room.head);
            let key = (user.clone(), conversation.clone());
            let upto = shared.seen.get(&key).map_or(0, Seen::upto);
            if upto < head {
                missing.push(format!("{user} has {upto} of {head} in {conversation}"));
            }
        }
        missing
    }

    /// Nothing is missing: see [`Board::missing`].
    pub(super) fn has_converged(&self, members: &[(String, String)]) -> bool {
        self.missing(members).is_empty()
    }

    /// Something else went wrong.
    pub(super) fn incident(&self, name: &'static str, what: String) {
        println!("{name}: {what}");
        self.lock().recording.incidents.push((name, what));
    }

    /// Waits until `probe` is true; `false` after `patience`.
    pub(super) async fn until(patience: Duration, probe: impl Fn() -> bool) -> bool {
        let start = Instant::now();
        while start.elapsed() < patience {
            if probe() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }
}

impl Room {
    fn raise(&mut self, seq: u64) {
        self.head = self.head.max(seq);
    }
}

impl Shared {
    /// A message of which everything is known makes its room fresh.
    fn settle(&mut self, msg_id: &str) {
        let Some(pending) = self.pending.get(msg_id) else {
            return;
        };
        if pending.acked && pending.arrived {
            let sent = pending.sent;
            if let Some(room) = self.rooms.get_mut(&pending.conversation) {
                room.fresh = room.fresh.max(Some(sent));
            }
            self.pending.remove(msg_id);
        }
    }
}

#[test]
fn seen_is_contiguous() {
    let mut seen = Seen::default();
    for seq in [1, 3, 4, 3] {
        seen.add(seq);
    }
    assert_eq!(seen.upto(), 1);
    seen.add(2);
    assert_eq!(seen.upto(), 4);
}
