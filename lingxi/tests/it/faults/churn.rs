//! Members who come and go, and messages that are taken back: entries of the log that are no messages.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::board::Board;
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
    /// Who comes and goes.
    pub(super) guests: Vec<User>,
    /// Who writes.
    pub(super) writers: Vec<User>,
}

impl Churn {
    pub(super) async fn run(mut self) {
        loop {
            let orders = *self.board.orders.borrow();
            if orders.stop {
                return;
            }
            if orders.talk {
                self.change().await;
            }
            let pause = self.dice.between(100, 500);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    /// One change. What it answers is not asked for: much of it is refused, or not known to have happened.
    async fn change(&mut self) {
        let (group, owner) = self.groups[self.dice.index(self.groups.len())].clone();
        let guest = self.guests[self.dice.index(self.guests.len())].clone();
        let target = json!({"group_id": group, "target_username": guest.name});
        match self.dice.below(5) {
            0 => {
                self.post(&guest, "group/join", json!({"group_id": group}))
                    .await
            }
            1 => {
                self.post(&guest, "group/leave", json!({"group_id": group}))
                    .await
            }
            2 => self.post(&owner, "group/kick", target).await,
            3 => self.post(&owner, "group/invite", target).await,
            _ => {
                let writer = self.writers[self.dice.index(self.writers.len())].clone();
                let last = self.board.lock().recallable.get(&writer.name).copied();
                if let Some(id) = last {
                    self.post(&writer, "message/recall", json!({"id": id}))
                        .await;
                }
            }
        }
    }

    async fn post(&mut self, user: &User, path: &str, body: Value) {
        let door = self.doors[self.dice.index(self.doors.len())].clone();
        let rest = Rest::new(user.rest.http.clone(), door).with_token(&user.token);
        let request = rest.request(reqwest::Method::POST, path).json(&body);
        let _ = request.timeout(PATIENCE).send().await;
    }
}
