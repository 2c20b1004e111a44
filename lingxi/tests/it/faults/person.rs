//! One user: writes, goes away, comes back somewhere else, repeats what is not acknowledged, and writes everything down.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::board::{Board, Orders};
use crate::evidence::Ended;
use crate::harness::{Dice, Link, Rest, Socket, User};

/// Messages without an ACK at once.
const WINDOW: usize = 5;
/// At least so long between two new messages of one user.
const PACE: Duration = Duration::from_millis(110);
/// A message without an ACK for so long is repeated on the same connection.
const REPEAT: Duration = Duration::from_secs(3);
/// A silent connection is asked for a life sign.
const ASK: Duration = Duration::from_secs(2);
/// A connection that does not answer is given up.
const SILENT: Duration = Duration::from_secs(5);
/// The same for one that does not open.
const OPEN: Duration = Duration::from_secs(4);
/// How often a client looks what it has to do.
const TICK: Duration = Duration::from_millis(25);

/// In the `msg_id` of a long message.
const LARGE: &str = "-large";
/// Characters of it, of three bytes each.
const ROOM: usize = 3000;

/// A conversation that a user takes part in.
#[derive(Debug, Clone)]
pub(super) struct Room {
    /// Its key.
    pub(super) key: String,
    /// A message frame without `msg_id` and `content`.
    pub(super) to: Value,
    /// In a history query.
    pub(super) of: String,
}

/// A user of the load.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) user: User,
    pub(super) rooms: Vec<Room>,
    /// Otherwise it only reads.
    pub(super) writes: bool,
    /// Where the gateways are, `http://host:port`.
    pub(super) doors: Vec<String>,
    pub(super) dice: Dice,
    pub(super) board: Arc<Board>,
    pub(super) written: u64,
}

/// One open connection, until it is left.
struct Line {
    socket: Socket,
    number: u64,
    door: usize,
    heard: Instant,
    asked: bool,
    wrote: Instant,
    /// When this user has had enough of this connection.
    until: Instant,
}

/// Why a connection is left.
enum Leave {
    /// It ended.
    Ended,
    /// It is cut from here.
    Cut,
    /// Another one is opened while it is still there.
    Beside,
}

impl Person {
    /// Lives until told to stop.
    pub(super) async fn live(mut self) {
        // A connection beside which another one is opened next.
        let mut old: Option<Line> = None;
        while !self.orders().stop {
            let Some(mut line) = self.come().await else {
                continue;
            };
            if let Some(old) = old.take() {
                // Whatever still comes on it is written down too, until the server ends it.
                let (board, name) = (Arc::clone(&self.board), self.user.name.clone());
                tokio::spawn(linger(board, name, old));
            }
            match self.talk(&mut line).await {
                Leave::Ended => {}
                Leave::Cut => self.board.ended(&self.user.name, line.number, Ended::Cut),
                Leave::Beside => {
                    old = Some(line);
                    continue;
                }
            }
            self.be_away().await;
        }
    }

    fn orders(&self) -> Orders {
        *self.board.orders.borrow()
    }

    /// Opens a connection to any gateway, and waits for its first answer.
    async fn come(&mut self) -> Option<Line> {
        let door = self.dice.index(self.doors.len());
        let link = Link::new(&self.doors[door], &self.user.token);
        let number = self.board.begin_connection(&self.user.name);
        let opening = async {
            let mut socket = link.open().await.ok()?;
            let hello = json!({"type": 1, "msg_id": "hello"}).to_string();
            socket.send(Message::text(hello)).await.ok()?;
            Some(socket)
        };
        let Ok(Some(socket)) = timeout(OPEN, opening).await else {
            self.board.ended(&self.user.name, number, Ended::Cut);
            let pause = self.dice.between(50, 400);
            tokio::time::sleep(Duration::from_millis(pause)).await;
            return None;
        };
        let now = Instant::now();
        let stay = self.dice.between(2000, 12_000);
        Some(Line {
            socket,
            number,
            door,
            heard: now,
            asked: true,
            wrote: now,
            until: now + Duration::from_millis(stay),
        })
    }

    async fn be_away(&mut self) {
        let pause = if self.orders().stay {
            self.dice.between(10, 200)
        } else {
            self.dice.between(10, 1500)
        };
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }

    /// Reads and writes until the connection ends or is left.
    async fn talk(&mut self, line: &mut Line) -> Leave {
        // What is not acknowledged is repeated at once, in its order.
        let waiting = self.board.lock().waiting.get(&self.user.name).cloned();
        for (msg_id, _) in waiting.into_iter().flatten() {
            if self.send(line, &msg_id).await.is_err() {
                return Leave::Cut;
            }
        }
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                next = line.socket.next() => {
                    match read(&self.board, &self.user.name, line, next) {
                        ControlFlow::Break(()) => return Leave::Ended,
                        ControlFlow::Continue(None) => {}
                        ControlFlow::Continue(Some(gap)) => {
                            if self.pull(line, &gap).await.is_err() {
                                return Leave::Cut;
                            }
                        }
                    }
                }
                _ = ticks.tick() => {
                    match self.tick(line).await {
                        Ok(None) => {}
                        Ok(Some(leave)) => return leave,
                        Err(_) => return Leave::Cut,
                    }
                }
            }
        }
    }

    /// Writes, repeats, asks for a life sign, or leaves.
    async fn tick(&mut self, line: &mut Line) -> Result<Option<Leave>, Error> {
        let (now, orders) = (Instant::now(), self.orders());
        if orders.stop || now.duration_since(line.heard) > SILENT {
            return Ok(Some(Leave::Cut));
        }
        if !orders.stay && now > line.until {
            if self.dice.chance(30) {
                return Ok(Some(Leave::Beside));
            }
            if self.dice.chance(50) {
                let _ = timeout(TICK, line.socket.close(None)).await;
            }
            return Ok(Some(Leave::Cut));
        }
        if now.duration_since(line.heard) > ASK && !line.asked {
            line.asked = true;
            let alive = json!({"type": 1, "msg_id": "alive"}).to_string();
            line.socket.send(Message::text(alive)).await?;
        }
        for msg_id in self.stale(now) {
            self.send(line, &msg_id).await?;
        }
        let waiting = self.waiting();
        if self.writes && orders.talk && waiting < WINDOW && now.duration_since(line.wrote) > PACE {
            line.wrote = now;
            let msg_id = self.write();
            self.send(line, &msg_id).await?;
            if self.dice.chance(4) {
                self.read_receipt(line).await?;
            }
        }
        Ok(None)
    }

    fn waiting(&self) -> usize {
        let shared = self.board.lock();
        shared
            .waiting
            .get(&self.user.name)
            .map_or(0, |waiting| waiting.len())
    }

    /// Messages that have waited too long for their ACK; they count as sent now.
    fn stale(&self, now: Instant) -> Vec<String> {
        let mut shared = self.board.lock();
        let waiting = shared.waiting.get_mut(&self.user.name);
        waiting
            .into_iter()
            .flatten()
            .filter(|(_, sent)| now.duration_since(*sent) > REPEAT)
            .map(|(msg_id, sent)| {
                *sent = now;
                msg_id.clone()
            })
            .collect()
    }

    /// A new message, to any of this user's rooms.
    fn write(&mut self) -> String {
        self.written += 1;
        let room = &self.rooms[self.dice.index(self.rooms.len())];
        let large = if self.orders().large { LARGE } else { "" };
        let msg_id = format!("{}-{}{large}/{}", self.user.name, self.written, room.key);
        self.board
            .announce(&self.user.name, &room.key, &msg_id, content_of(&msg_id));
        msg_id
    }

    async fn send(&self, line: &mut Line, msg_id: &str) -> Result<(), Error> {
        let room = self
            .rooms
            .iter()
            .find(|room| msg_id.ends_with(&format!("/{}", room.key)));
        let mut frame = room.expect("a room of this user").to.clone();
        frame["msg_id"] = json!(msg_id);
        frame["content"] = json!(content_of(msg_id));
        // Every tenth calls somebody; a repeat calls the same.
        if msg_id.contains("0/") {
            frame["mentions"] = json!([self.user.name]);
        }
        let sending = line.socket.send(Message::text(frame.to_string()));
        match timeout(SILENT, sending).await {
            Ok(sent) => sent,
            Err(_) => Err(Error::ConnectionClosed),
        }
    }

    /// Says that everything that this user has of a room was read.
    async fn read_receipt(&mut self, line: &mut Line) -> Result<(), Error> {
        let key = &self.rooms[self.dice.index(self.rooms.len())].key;
        let seq = self.board.has_upto(&self.user.name, key);
        if seq == 0 {
            return Ok(());
        }
        let receipt = json!({"type": 8, "conversation": key, "seq": seq, "kind": "read"});
        line.socket.send(Message::text(receipt.to_string())).await
    }

    /// A `gap`: pulls what was not pushed, then says so, as the contract has it.
    async fn pull(&mut self, line: &mut Line, gap: &Value) -> Result<(), Error> {
        for row in gap["conversations"].as_array().into_iter().flatten() {
            let key = row["conversation"].as_str().unwrap_or_default();
            let Some(room) = self.rooms.iter().find(|room| room.key == key) else {
                continue;
            };
            let rest = Rest::new(self.user.rest.http.clone(), self.doors[line.door].clone())
                .with_token(&self.user.token);
            let (mut after, last) = (row["after"].as_u64().unwrap_or(0), row["last_seq"].as_u64());
            while Some(after) < last {
                let path = format!(
                    "message/history?{}&entries=all&limit=200&after={after}",
                    room.of
                );
                let page = page(&rest, &path).await.ok_or(Error::ConnectionClosed)?;
                let Some(end) = page.last() else { break };
                after = end["seq"].as_u64().unwrap_or(u64::MAX);
                for entry in &page {
                    self.board.received(&self.user.name, None, entry);
                }
            }
            let receipt =
                json!({"type": 8, "conversation": key, "seq": after, "kind": "delivered"});
            line.socket.send(Message::text(receipt.to_string())).await?;
        }
        Ok(())
    }
}

/// A page of history, if the gateway gives one.
async fn page(rest: &Rest, path: &str) -> Option<Vec<Value>> {
    let request = rest.request(reqwest::Method::GET, path);
    let answer = request.timeout(SILENT).send().await.ok()?;
    if answer.status() == 403 {
        // Not a member any more: there is nothing more to read.
        return Some(Vec::new());
    }
    if answer.status() != 200 {
        return None;
    }
    let page: Value = answer.json().await.ok()?;
    Some(page["messages"].as_array()?.clone())
}

/// Writes down what came; breaks when the connection has ended, and answers a `gap`.
fn read(
    board: &Board,
    user: &str,
    line: &mut Line,
    next: Option<Result<Message, Error>>,
) -> ControlFlow<(), Option<Value>> {
    if matches!(next, Some(Ok(_))) {
        line.heard = Instant::now();
        line.asked = false;
    }
    let text = match next {
        Some(Ok(Message::Text(text))) => text,
        Some(Ok(Message::Close(frame))) => {
            let how = frame.map_or(Ended::Cut, |frame| Ended::Closed(frame.code.into()));
            board.ended(user, line.number, how);
            // The answer is sent when the socket is read on: see the end of `tungstenite`'s handshake.
            return ControlFlow::Continue(None);
        }
        Some(Ok(_)) => return ControlFlow::Continue(None),
        Some(Err(_)) | None => {
            board.ended(user, line.number, Ended::Cut);
            return ControlFlow::Break(());
        }
    };
    let Ok(frame) = serde_json::from_str::<Value>(&text) else {
        board.incident("NotJson", format!("{user}: {text}"));
        return ControlFlow::Continue(None);
    };
    board.connection(user, line.number, |connection, now| {
        connection.opened.get_or_insert(now);
    });
    match frame["type"].as_u64() {
        Some(3) => board.acknowledged(user, &frame),
        Some(5) if frame["event"] == "gap" => return ControlFlow::Continue(Some(frame)),
        Some(2 | 4 | 5) if frame["seq"].is_u64() && frame["event"] != "read" => {
            board.received(user, Some(line.number), &frame);
        }
        _ => {}
    }
    ControlFlow::Continue(None)
}

/// Reads an old connection beside which a newer one was opened, until the server ends it. It answers Pings like any
/// other.
async fn linger(board: Arc<Board>, user: String, mut line: Line) {
    loop {
        let stop = board.orders.borrow().stop;
        let Ok(next) = timeout(SILENT, line.socket.next()).await else {
            // Whoever is at the other end may be paused or cut off: asked for a life sign.
            let alive = json!({"type": 1, "msg_id": "alive"}).to_string();
            let silent = line.heard.elapsed() > SILENT * 2;
            let asked = timeout(SILENT, line.socket.send(Message::text(alive))).await;
            if stop || silent || !matches!(asked, Ok(Ok(()))) {
                board.ended(&user, line.number, Ended::Cut);
                return;
            }
            continue;
        };
        if read(&board, &user, &mut line, next).is_break() {
            return;
        }
    }
}

fn content_of(msg_id: &str) -> String {
    let more = if msg_id.contains(LARGE) { ROOM } else { 0 };
    format!("灵犀 {msg_id}{}", "。".repeat(more))
}
