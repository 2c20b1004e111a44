//! The mirror's hub: usernames to sockets, conversations to their next `seq`, and what users have not confirmed.

use std::collections::{HashMap, VecDeque};

use axum::extract::ws::{Message, Utf8Bytes};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::Flaw;
use crate::client::Frame;

/// Frames that a user may have unconfirmed: pushed again on the next connection, the oldest forgotten.
const KEPT: usize = 256;

/// Entries of one conversation that a new connection gets; the rest is told as a gap.
const CAP: usize = 100;

/// Where the frames for one socket go.
pub(super) type Outlet = mpsc::Sender<Message>;

/// All state of a mirror.
pub(super) struct Hub {
    flaw: Option<Flaw>,
    every: u64,
    inner: Mutex<Inner>,
}

/// A push that its user has not confirmed.
struct Kept {
    conversation: String,
    seq: u64,
    text: Utf8Bytes,
}

/// One entry of a conversation, on its way to its members.
struct Entry {
    conversation: String,
    seq: u64,
    text: Utf8Bytes,
}

#[derive(Default)]
struct Inner {
    sockets: HashMap<String, Outlet>,
    kept: HashMap<String, VecDeque<Kept>>,
    heads: HashMap<String, u64>,
    /// Members of each group; its id is its place, from 1.
    groups: Vec<Vec<String>>,
    /// A push held back, to come behind the next one of its conversation.
    held: HashMap<String, Entry>,
    messages: u64,
    upgrades: u64,
}

#[derive(Deserialize)]
struct Incoming<'a> {
    msg_id: &'a str,
    to: Option<&'a str>,
    group_id: Option<usize>,
    content: &'a str,
}

#[derive(Deserialize)]
struct Receipt<'a> {
    conversation: &'a str,
    seq: u64,
}

/// A device says what it has of each conversation and asks for the rest.
#[derive(Deserialize)]
struct Pull {
    cursors: HashMap<String, u64>,
}

impl Hub {
    pub(super) fn new(flaw: Option<Flaw>, every: u64) -> Self {
        Self {
            flaw,
            every,
            inner: Mutex::default(),
        }
    }

    /// Whether this upgrade is to be refused.
    pub(super) fn denies(&self) -> bool {
        let mut inner = self.inner.lock();
        inner.upgrades += 1;
        match self.flaw {
            Some(Flaw::Deny) => inner.upgrades.is_multiple_of(self.every),
            Some(Flaw::Shut) => inner.upgrades >= self.every,
            _ => false,
        }
    }

    /// A user's newest socket: first it gets what the user has not confirmed, the oldest of each conversation.
    pub(super) fn enter(&self, username: &str, outlet: &Outlet) {
        let mut inner = self.inner.lock();
        let mut pushed: HashMap<&str, (usize, u64, u64)> = HashMap::new();
        for kept in inner.kept.get(username).into_iter().flatten() {
            let (count, after, last) = pushed.entry(&kept.conversation).or_default();
            *last = kept.seq;
            if *count < CAP {
                *count += 1;
                *after = kept.seq;
                send(outlet, kept.text.clone());
            }
        }
        let gaps: Vec<Value> = pushed
            .iter()
            .filter(|(_, (_, after, last))| after < last)
            .map(|(key, (_, after, last))| {
                json!({"conversation": key, "after": after, "last_seq": last})
            })
            .collect();
        if !gaps.is_empty() {
            let gap = json!({"type": 5, "event": "gap", "conversations": gaps});
            send(outlet, gap.to_string().into());
        }
        inner.sockets.insert(username.to_owned(), outlet.clone());
    }

    /// A socket has gone; a newer one of the same user stays.
    pub(super) fn leave(&self, username: &str, outlet: &Outlet) {
        let mut inner = self.inner.lock();
        if inner
            .sockets
            .get(username)
            .is_some_and(|present| present.same_channel(outlet))
        {
            inner.sockets.remove(username);
        }
    }

    /// Makes a group and answers its id.
    pub(super) fn create_group(&self, owner: String) -> usize {
        let mut inner = self.inner.lock();
        inner.groups.push(vec![owner]);
        inner.groups.len()
    }

    /// Lets a user in, which is an entry of the group's log; `false`: no such group.
    pub(super) fn join_group(&self, id: usize, username: String) -> bool {
        let mut inner = self.inner.lock();
        let Some(members) = id.checked_sub(1).and_then(|at| inner.groups.get_mut(at)) else {
            return false;
        };
        members.push(username.clone());
        let members = members.clone();
        let conversation = format!("g:{id}");
        let seq = inner.next(&conversation);
        let event = json!({"type": 5, "event": "group_joined", "conversation": conversation, "seq": seq,
            "username": username});
        let entry = Entry {
            conversation,
            seq,
            text: event.to_string().into(),
        };
        inner.deliver(&members, &entry, false);
        true
    }

    /// Takes one frame of `from`; `false` closes its socket.
    pub(super) fn take(&self, from: &str, outlet: &Outlet, text: &str) -> bool {
        match Frame::scan(text.as_bytes()).map_or(0, |frame| frame.kind) {
            1 => heartbeat(outlet, text),
            2 | 4 => match serde_json::from_str(text) {
                Ok(incoming) => self.message(from, outlet, &incoming),
                Err(_) => false,
            },
            7 => {
                if let Ok(pull) = serde_json::from_str(text) {
                    self.pull(from, outlet, &pull);
                }
                true
            }
            8 => {
                if let Ok(receipt) = serde_json::from_str(text) {
                    self.confirm(from, &receipt);
                }
                true
            }
            _ => true,
        }
    }

    fn pull(&self, from: &str, outlet: &Outlet, pull: &Pull) {
        let inner = self.inner.lock();
        for kept in inner.kept.get(from).into_iter().flatten() {
            let cursor = pull.cursors.get(&kept.conversation);
            if self.flaw != Some(Flaw::Gap) && cursor.is_some_and(|&cursor| kept.seq > cursor) {
                send(outlet, kept.text.clone());
            }
        }
    }

    fn confirm(&self, from: &str, receipt: &Receipt<'_>) {
        if self.flaw == Some(Flaw::Again) {
            return;
        }
        if let Some(kept) = self.inner.lock().kept.get_mut(from) {
            kept.retain(|kept| kept.conversation != receipt.conversation || kept.seq > receipt.seq);
        }
    }

    fn message(&self, from: &str, outlet: &Outlet, incoming: &Incoming<'_>) -> bool {
        let msg_id = incoming.msg_id;
        let mut inner = self.inner.lock();
        inner.messages += 1;
        let flaw = self
            .flaw
            .filter(|_| inner.messages.is_multiple_of(self.every));
        match flaw {
            Some(Flaw::Refuse) => {
                let reason = r#""status":"failed","reason":"rate_limited""#;
                return send(
                    outlet,
                    format!(r#"{{"type":3,"msg_id":"{msg_id}",{reason}}}"#).into(),
                );
            }
            Some(Flaw::Close) => return false,
            _ => {}
        }
        let Some((conversation, members, head)) = inner.addressed(from, incoming) else {
            return false;
        };
        let seq = inner.next(&conversation);
        let text = format!(
            r#"{{{head},"id":{id},"seq":{seq},"conversation":"{conversation}","msg_id":"{msg_id}","from":"{from}","content":"{content}","created_at":0}}"#,
            id = inner.messages,
            content = incoming.content
        );
        let entry = Entry {
            conversation,
            seq,
            text: text.into(),
        };
        let present = |user: &String| inner.sockets.contains_key(user);
        let all_present = incoming.group_id.is_none() && members.iter().all(present);
        match flaw {
            Some(Flaw::Lose) => {}
            Some(Flaw::Swap) => {
                if let Some(older) = inner.held.insert(entry.conversation.clone(), entry) {
                    inner.deliver(&members, &older, false);
                }
            }
            _ => {
                inner.deliver(&members, &entry, flaw == Some(Flaw::Forget));
                if flaw == Some(Flaw::Repeat) {
                    inner.deliver(&members, &entry, false);
                }
                if let Some(held) = inner.held.remove(&entry.conversation) {
                    inner.deliver(&members, &held, false);
                }
            }
        }
        let status = if all_present { "delivered" } else { "stored" };
        let ack =
            format!(r#"{{"type":3,"msg_id":"{msg_id}","status":"{status}","id":1,"seq":{seq}}}"#);
        flaw == Some(Flaw::Unanswered) || send(outlet, ack.into())
    }
}

impl Inner {
    fn next(&mut self, conversation: &str) -> u64 {
        let head = self.heads.entry(conversation.to_owned()).or_default();
        *head += 1;
        *head
    }

    /// Conversation, members, and what a push of it begins with; `None` when nobody is addressed.
    fn addressed(&self, from: &str, to: &Incoming<'_>) -> Option<(String, Vec<String>, String)> {
        if let Some(id) = to.group_id {
            let members = self.groups.get(id.checked_sub(1)?)?.clone();
            let head = format!(r#""type":4,"group_id":{id}"#);
            return Some((format!("g:{id}"), members, head));
        }
        let to = to.to?;
        let (low, high) = if from < to { (from, to) } else { (to, from) };
        let members = vec![to.to_owned(), from.to_owned()];
        let head = format!(r#""type":2,"to":"{to}""#);
        Some((format!("d:{low}:{high}"), members, head))
    }

    /// Pushes to every member who is there, and keeps it for all until they confirm it. `forget`: it is not kept, and
    /// comes to nobody who is not there.
    fn deliver(&mut self, members: &[String], entry: &Entry, forget: bool) {
        for user in members {
            if let Some(outlet) = self.sockets.get(user) {
                send(outlet, entry.text.clone());
            }
            if forget {
                continue;
            }
            let kept = self.kept.entry(user.clone()).or_default();
            if kept.len() == KEPT {
                kept.pop_front();
            }
            kept.push_back(Kept {
                conversation: entry.conversation.clone(),
                seq: entry.seq,
                text: entry.text.clone(),
            });
        }
    }
}

fn heartbeat(outlet: &Outlet, text: &str) -> bool {
    let msg_id = serde_json::from_str::<Value>(text)
        .map(|frame| frame["msg_id"].clone())
        .unwrap_or_default();
    let answer = json!({"type": 3, "msg_id": msg_id, "status": "received"});
    send(outlet, answer.to_string().into())
}

fn send(outlet: &Outlet, text: Utf8Bytes) -> bool {
    outlet.try_send(Message::Text(text)).is_ok()
}
