//! Members who come and go, groups that change and end, and messages that are taken back: entries of the log that are no
//! messages.

use std::sync::Arc;
use std::time::Duration;

use lingxi_domain::now_ms;
use serde_json::{Value, json};

use super::board::Board;
use crate::evidence::EDIT;
use crate::harness::{Dice, Rest, User};

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(4);

/// Changes groups and takes messages back, at a low rate.
pub(super) struct Churn {
    pub(super) board: Arc<Board>,
    pub(super) dice: Dice,
    pub(super) doors: Vec<String>,
    /// Each group with its owner.
    pub(super) groups: Vec<(u64, User)>,
    /// Who comes and goes, is muted and promoted.
    pub(super) guests: Vec<User>,
    /// Who writes.
    pub(super) writers: Vec<User>,
    /// A group that is to be dismissed, and its owner.
    pub(super) brief: Option<(u64, User)>,
    /// Who was invited last and is kicked next, by whom.
    pub(super) invited: Option<(User, Value)>,
    /// What was not drawn yet.
    pub(super) deck: Vec<u64>,
    /// Edits so far.
    pub(super) edits: u64,
}

impl Churn {
    pub(super) async fn run(mut self) {
        loop {
            let orders = *self.board.orders.borrow();
            if orders.stop {
                return;
            }
            if orders.talk {
                self.board.lock().churning = true;
                self.change().await;
                self.board.lock().churning = false;
            }
            let pause = self.dice.between(15, 90);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    /// One change. What it answers is not asked for: much of it is refused, or not known to have happened.
    async fn change(&mut self) {
        let (group, owner) = self.groups[self.dice.index(self.groups.len())].clone();
        let guest = self.guests[self.dice.index(self.guests.len())].clone();
        let target = json!({"group_id": group, "target_username": guest.name});
        match self.draw() {
            0 => {
                self.post(&guest, "group/join", json!({"group_id": group}))
                    .await
            }
            1 => {
                self.post(&guest, "group/leave", json!({"group_id": group}))
                    .await
            }
            2 | 3 => match self.invited.take() {
                Some((owner, target)) => self.post(&owner, "group/kick", target).await,
                None => {
                    self.post(&owner, "group/invite", target.clone()).await;
                    self.invited = Some((owner, target));
                }
            },
            4 => {
                let mut body = target;
                let until = now_ms() + 3_600_000;
                body["until"] = json!(if self.dice.chance(50) { until } else { 0 });
                self.post(&owner, "group/mute", body).await;
            }
            5 => {
                let mut body = target;
                body["role"] = json!(if self.dice.chance(50) {
                    "admin"
                } else {
                    "member"
                });
                self.post(&owner, "group/role", body).await;
            }
            6 => {
                let name = format!("group {}", self.dice.below(100));
                let body = json!({"group_id": group, "name": name});
                self.ask(&owner, (reqwest::Method::PUT, "group/update"), body)
                    .await;
            }
            7 => self.begin_or_dismiss(owner, &guest).await,
            8 | 9 => self.edit().await,
            10 => {
                let other = self.writers[self.dice.index(self.writers.len())].clone();
                if let Some((writer, id, _)) = self.last_message() {
                    let mut body = json!({"id": id, "emoji": "👍", "on": true});
                    // Twice, as one does who has no answer.
                    self.post(&writer, "message/react", body.clone()).await;
                    self.post(&writer, "message/react", body.clone()).await;
                    // Who is not in its conversation is refused.
                    self.post(&other, "message/react", body.clone()).await;
                    body["on"] = json!(self.dice.chance(50));
                    self.post(&writer, "message/react", body).await;
                }
            }
            _ => {
                if let Some((writer, id, _)) = self.last_message() {
                    self.post(&writer, "message/recall", json!({"id": id}))
                        .await;
                }
            }
        }
    }

    /// What comes next: in any order, but each as often as the others, so that none is missing in a short run.
    fn draw(&mut self) -> u64 {
        if self.deck.is_empty() {
            self.deck = (0..12).collect();
        }
        let at = self.dice.index(self.deck.len());
        self.deck.swap_remove(at)
    }

    /// The last message of a writer, with its `msg_id`.
    fn last_message(&mut self) -> Option<(User, u64, String)> {
        let writer = self.writers[self.dice.index(self.writers.len())].clone();
        let (id, msg_id) = self.board.lock().recallable.get(&writer.name).cloned()?;
        Some((writer, id, msg_id))
    }

    /// Gives a message its next text.
    async fn edit(&mut self) {
        let Some((writer, id, msg_id)) = self.last_message() else {
            return;
        };
        let key = (writer.name.clone(), msg_id);
        let sent = self.board.lock().recording.sent.get(&key).cloned();
        self.edits += 1;
        let number = self.edits;
        let content = format!("{}{EDIT}{number}", sent.expect("a message that was sent"));
        let body = json!({"id": id, "content": content});
        let put = (reqwest::Method::PUT, "message/edit");
        let shown = self.ask(&writer, put, body).await;
        if shown.is_some_and(|shown| shown["id"] == id) {
            self.board.lock().recording.edits.push((id, number));
        }
    }

    /// Makes a group with a guest in it, or ends the one before.
    async fn begin_or_dismiss(&mut self, owner: User, guest: &User) {
        if let Some((group, owner)) = self.brief.take() {
            let body = json!({"group_id": group});
            return self.post(&owner, "group/dismiss", body).await;
        }
        let create = (reqwest::Method::POST, "group/create");
        let Some(made) = self.ask(&owner, create, json!({"name": "brief"})).await else {
            return;
        };
        if let Some(group) = made["id"].as_u64() {
            let body = json!({"group_id": group, "target_username": guest.name});
            self.post(&owner, "group/invite", body).await;
            self.brief = Some((group, owner));
        }
    }

    async fn post(&mut self, user: &User, path: &str, body: Value) {
        self.ask(user, (reqwest::Method::POST, path), body).await;
    }

    async fn ask(
        &mut self,
        user: &User,
        (method, path): (reqwest::Method, &str),
        body: Value,
    ) -> Option<Value> {
        let door = self.doors[self.dice.index(self.doors.len())].clone();
        let rest = Rest::new(user.rest.http.clone(), door).with_token(&user.token);
        let request = rest.request(method, path).json(&body);
        let answer = request.timeout(PATIENCE).send().await.ok()?;
        answer.json().await.ok()
    }
}
