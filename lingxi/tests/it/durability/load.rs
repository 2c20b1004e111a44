//! Clients that talk through every crash: they repeat what was not acknowledged, resume, and write everything down.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::evidence::{Ack, Entry, Log, Owed, Received, Recording, entry_of};
use crate::harness::{DEADLINE, Deployment, Link, Socket, User};

/// Pairs of users who write to each other; beside them a group of four.
const PAIRS: usize = 3;
/// Messages a client has unacknowledged at once.
const WINDOW: usize = 8;

/// When to kill: at the n-th message sent, or the n-th message newly acknowledged, since the last start.
#[derive(Debug, Clone, Copy)]
pub(super) enum Moment {
    Sent(u64),
    Acked(u64),
}

/// What was going on when the kill struck.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Found {
    /// Messages sent and not acknowledged.
    pub(super) in_flight: usize,
    /// Messages sent since the start, repeats too.
    pub(super) sent: u64,
    /// ACKs since the start.
    pub(super) acked: u64,
}

/// A kill to come.
struct Trigger {
    moment: Moment,
    kill: Box<dyn Fn() + Send>,
}

/// What the clients share.
#[derive(Default)]
struct Shared {
    recording: Recording,
    now: Found,
    trigger: Option<Trigger>,
    struck: Option<Found>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Shared")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct Board {
    shared: Mutex<Shared>,
    struck: Notify,
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message that is about to be sent for the first time.
    fn announce(&self, sender: &str, msg_id: &str) {
        let mut shared = self.lock();
        let key = (sender.to_owned(), msg_id.to_owned());
        shared.recording.sent.insert(key, content_of(msg_id));
        shared.now.in_flight += 1;
    }

    /// Kills if the moment has come: right here, where the client has just sent or just read.
    fn maybe_kill(&self, shared: &mut Shared) {
        let due = shared
            .trigger
            .as_ref()
            .is_some_and(|trigger| match trigger.moment {
                // Something must have been acknowledged as well, or there would be nothing to lose.
                Moment::Sent(count) => shared.now.sent >= count && shared.now.acked > 0,
                Moment::Acked(count) => shared.now.acked >= count,
            });
        // At an ACK there may be none in flight for an instant; the next event will do.
        if due
            && shared.now.in_flight > 0
            && let Some(trigger) = shared.trigger.take()
        {
            (trigger.kill)();
            shared.struck = Some(shared.now);
            self.struck.notify_one();
        }
    }
}

/// What a client is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Keep the window full.
    Talk,
    /// Send nothing new; end when everything is acknowledged.
    Finish,
}

/// The running clients.
#[derive(Debug)]
pub(super) struct Load {
    board: Arc<Board>,
    phase: watch::Sender<Phase>,
    clients: Vec<JoinHandle<Client>>,
}

impl Load {
    /// Makes the users, their group, and lets them talk.
    pub(super) async fn begin(lx: &Deployment) -> Self {
        let board = Arc::new(Board::default());
        let (phase, watching) = watch::channel(Phase::Talk);
        let mut clients = Vec::new();
        for pair in 0..PAIRS {
            let (one, two) = (format!("left{pair}"), format!("right{pair}"));
            let (left, right) = (lx.user(&one).await, lx.user(&two).await);
            let of = |other: &str| format!("username={other}");
            let label = format!("pair {pair}");
            clients.push(Client::new(
                left,
                &label,
                of(&two),
                json!({"type": 2, "to": two}),
            ));
            clients.push(Client::new(
                right,
                &label,
                of(&one),
                json!({"type": 2, "to": one}),
            ));
        }
        let owner = lx.user("member0").await;
        let group = owner.create_group("the four").await;
        for member in 0..4 {
            let user = if member == 0 {
                owner.clone()
            } else {
                let user = lx.user(&format!("member{member}")).await;
                user.join(group).await.ok();
                user
            };
            let to = json!({"type": 4, "group_id": group});
            clients.push(Client::new(user, "group", format!("group_id={group}"), to));
        }
        let clients = clients
            .into_iter()
            .map(|client| tokio::spawn(client.run(Arc::clone(&board), watching.clone())))
            .collect();
        Self {
            board,
            phase,
            clients,
        }
    }

    /// Waits for `moment`, kills, and tells what it found.
    pub(super) async fn kill_at(&self, moment: Moment, kill: impl Fn() + Send + 'static) -> Found {
        self.arm(Trigger {
            moment,
            kill: Box::new(kill),
        });
        let struck = timeout(DEADLINE, self.board.struck.notified()).await;
        let mut shared = self.board.lock();
        assert!(
            struck.is_ok(),
            "{moment:?} did not come within {DEADLINE:?}: {:?}",
            shared.now
        );
        shared.struck.take().expect("what it found")
    }

    fn arm(&self, trigger: Trigger) {
        let mut shared = self.board.lock();
        // What was still read from the dead server's sockets says nothing about this one.
        (shared.now.sent, shared.now.acked) = (0, 0);
        shared.trigger = Some(trigger);
    }

    /// Lets everyone finish, resume once more and read all that is theirs; answers what happened.
    pub(super) async fn end(self) -> Recording {
        self.phase.send(Phase::Finish).expect("clients");
        let mut clients = Vec::new();
        for client in self.clients {
            clients.push(client.await.expect("a client that did not panic"));
        }
        for client in &mut clients {
            let entries = client.user.log(&client.of).await;
            let log = Log {
                reader: client.user.name.clone(),
                conversation: client.label.clone(),
                entries: entries.iter().map(entry_of).collect(),
            };
            client.catch_up(&self.board, &log.entries).await;
            let messages = log.entries.iter().filter(|entry| !entry.msg_id.is_empty());
            let owed = Owed {
                reader: log.reader.clone(),
                conversation: log.conversation.clone(),
                seqs: messages.map(|entry| entry.seq).collect(),
            };
            let mut shared = self.board.lock();
            shared.recording.owed.push(owed);
            shared.recording.logs.push(log);
        }
        std::mem::take(&mut self.board.lock().recording)
    }
}

/// One user, in one conversation.
#[derive(Debug)]
struct Client {
    user: User,
    link: Link,
    /// The conversation, in the recording.
    label: String,
    /// The conversation, in a history query.
    of: String,
    /// A frame without its `msg_id` and `content`.
    to: Value,
    next: u64,
    unacknowledged: VecDeque<String>,
    connection: u64,
    seen: BTreeSet<u64>,
}

/// The connection is gone, or as good as gone.
struct Gone;

impl Client {
    fn new(user: User, label: &str, of: String, to: Value) -> Self {
        Self {
            link: user.link(),
            user,
            label: label.to_owned(),
            of,
            to,
            next: 0,
            unacknowledged: VecDeque::new(),
            connection: 0,
            seen: BTreeSet::new(),
        }
    }

    /// Talks until told to finish and everything is acknowledged.
    async fn run(mut self, board: Arc<Board>, phase: watch::Receiver<Phase>) -> Self {
        loop {
            let mut socket = self.connect().await;
            if self.talk(&mut socket, &board, &phase).await.is_ok() {
                return self;
            }
        }
    }

    async fn connect(&mut self) -> Socket {
        self.connection += 1;
        self.link.open_patiently().await
    }

    async fn talk(
        &mut self,
        socket: &mut Socket,
        board: &Board,
        phase: &watch::Receiver<Phase>,
    ) -> Result<(), Gone> {
        for msg_id in self.unacknowledged.clone() {
            self.send(socket, board, &msg_id).await?;
        }
        loop {
            let phase = *phase.borrow();
            if phase == Phase::Finish && self.unacknowledged.is_empty() {
                return Ok(());
            }
            while phase == Phase::Talk && self.unacknowledged.len() < WINDOW {
                self.next += 1;
                let msg_id = format!("{}-{}", self.user.name, self.next);
                self.unacknowledged.push_back(msg_id.clone());
                board.announce(&self.user.name, &msg_id);
                self.send(socket, board, &msg_id).await?;
            }
            self.read(socket, board).await?;
        }
    }

    async fn send(&self, socket: &mut Socket, board: &Board, msg_id: &str) -> Result<(), Gone> {
        let mut frame = self.to.clone();
        frame["msg_id"] = json!(msg_id);
        frame["content"] = json!(content_of(msg_id));
        let sent = socket.send(Message::text(frame.to_string())).await;
        sent.map_err(|_| Gone)?;
        let mut shared = board.lock();
        shared.now.sent += 1;
        board.maybe_kill(&mut shared);
        Ok(())
    }

    /// Reads one message of any kind.
    async fn read(&mut self, socket: &mut Socket, board: &Board) -> Result<(), Gone> {
        let next = timeout(DEADLINE, socket.next()).await;
        let next = next.unwrap_or_else(|_| {
            panic!(
                "{} has an open connection, waits for {:?}, and hears nothing",
                self.user.name, self.unacknowledged
            )
        });
        let text = match next {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(()),
            _ => return Err(Gone),
        };
        let frame: Value = serde_json::from_str(&text).expect("JSON");
        match frame["type"].as_u64() {
            Some(3) => self.acknowledged(&frame, board),
            Some(5) if frame["event"] == "gap" => return self.pull(&frame, socket, board).await,
            Some(2 | 4 | 5) if frame["seq"].is_u64() && frame["event"] != "read" => {
                self.received(&frame, Some(self.connection), board);
            }
            _ => {}
        }
        Ok(())
    }

    fn acknowledged(&mut self, frame: &Value, board: &Board) {
        let msg_id = frame["msg_id"].as_str().expect("a msg_id");
        let mut shared = board.lock();
        if frame["status"] != "stored" && frame["status"] != "delivered" {
            shared.recording.refused.push(frame.to_string());
            return;
        }
        shared.recording.acks.push(Ack {
            conversation: self.label.clone(),
            sender: self.user.name.clone(),
            msg_id: msg_id.to_owned(),
            id: frame["id"].as_u64().expect("an id"),
            seq: frame["seq"].as_u64().expect("a seq"),
        });
        // The answer to a repeat may come twice; it counts once.
        if let Some(at) = self
            .unacknowledged
            .iter()
            .position(|waiting| waiting == msg_id)
        {
            self.unacknowledged.remove(at);
            shared.now.in_flight -= 1;
            shared.now.acked += 1;
            board.maybe_kill(&mut shared);
        }
    }

    fn received(&mut self, frame: &Value, connection: Option<u64>, board: &Board) {
        let entry = entry_of(frame);
        self.seen.insert(entry.seq);
        board.lock().recording.received.push(Received {
            reader: self.user.name.clone(),
            conversation: self.label.clone(),
            connection,
            entry,
        });
    }

    /// A `gap`: pulls what was not pushed, then says so, as the contract has it.
    async fn pull(&mut self, gap: &Value, socket: &mut Socket, board: &Board) -> Result<(), Gone> {
        for row in gap["conversations"].as_array().expect("conversations") {
            let (mut after, last) = (row["after"].as_u64(), row["last_seq"].as_u64());
            while after < last {
                let path = format!(
                    "message/history?{}&entries=all&limit=200&after={}",
                    self.of,
                    after.unwrap_or(0)
                );
                let request = self.user.rest.request(reqwest::Method::GET, &path);
                let answer = request
                    .timeout(Duration::from_secs(5))
                    .send()
                    .await
                    .map_err(|_| Gone)?;
                let page: Value = answer.json().await.map_err(|_| Gone)?;
                let entries = page["messages"].as_array().ok_or(Gone)?;
                let Some(end) = entries.last() else {
                    break;
                };
                after = end["seq"].as_u64();
                for entry in entries {
                    self.received(entry, None, board);
                }
            }
            let receipt = json!({"type": 8, "conversation": row["conversation"], "seq": after, "kind": "delivered"});
            let sent = socket.send(Message::text(receipt.to_string())).await;
            sent.map_err(|_| Gone)?;
        }
        Ok(())
    }

    /// Connects once more and reads until nothing of `log` is missing, or for a while in vain.
    async fn catch_up(&mut self, board: &Board, log: &[Entry]) {
        let mut socket = self.connect().await;
        let missing = |seen: &BTreeSet<u64>| {
            log.iter()
                .any(|entry| !entry.msg_id.is_empty() && !seen.contains(&entry.seq))
        };
        let reading =
            async { while missing(&self.seen) && self.read(&mut socket, board).await.is_ok() {} };
        // What is missing after that is for the checker to tell.
        let _ = timeout(DEADLINE / 2, reading).await;
    }
}

fn content_of(msg_id: &str) -> String {
    format!("the content of {msg_id}, 灵犀")
}
