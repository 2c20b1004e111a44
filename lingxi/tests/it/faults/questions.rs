//! Users who ask the assistant all the time, and follow each answer to its end through everything that breaks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use lingxi_bench::simulator::{Reply, Rule, Simulator};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::board::Board;
use crate::evidence::{Effect, RunSeen};
use crate::harness::{Dice, Rest, SseEvent, User, text_of};

/// How long one step of following may take before it is begun again somewhere else.
const STEP: Duration = Duration::from_secs(10);
/// How long an answer may take once nothing is broken any more.
const END: Duration = Duration::from_secs(60);

/// Asks until told to stop.
pub(super) struct Asker {
    pub(super) user: User,
    pub(super) doors: Vec<String>,
    pub(super) dice: Dice,
    pub(super) board: Arc<Board>,
    pub(super) simulator: Arc<Simulator>,
}

/// One question.
struct Question {
    path: &'static str,
    body: Value,
    /// The group that the assistant is to make.
    group: Option<String>,
}

/// What came of an answer so far.
#[derive(Default)]
struct Heard {
    run: Option<String>,
    events: Vec<SseEvent>,
}

impl Heard {
    fn ends(&self) -> Vec<String> {
        let ends = self.events.iter().map(SseEvent::kind);
        ends.filter(|kind| matches!(*kind, "done" | "error"))
            .map(str::to_owned)
            .collect()
    }
}

impl Asker {
    pub(super) async fn live(mut self) {
        let mut number = 0;
        loop {
            let orders = *self.board.orders.borrow();
            if orders.stop || !orders.talk {
                if orders.stop {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
            number += 1;
            let question = self.question(number);
            self.ask(question).await;
        }
    }

    fn question(&mut self, number: u64) -> Question {
        let name = format!("{}-{number}", self.user.name);
        let key = format!("key {name}");
        let pace = 8.0 + f64::from(u32::try_from(self.dice.below(20)).expect("a small number"));
        let said = format!("The answer to {name}: {}", "灵犀一点通。 ".repeat(6));
        let answer = Reply::text(&said).paced(6, pace);
        let group = self.dice.chance(50).then(|| format!("faults {name}."));
        let message = match &group {
            Some(group) => {
                let call = Reply::call("create_group", json!({"name": group}));
                self.simulator
                    .push_rule(Rule::new(group, call.then(answer)));
                format!("create a group called {group}")
            }
            None => {
                let asked = format!("what is {name}?");
                self.simulator.push_rule(Rule::new(&asked, answer));
                asked
            }
        };
        Question {
            path: if group.is_some() {
                "ai/agent"
            } else {
                "ai/chat"
            },
            body: json!({"message": message, "idempotency_key": key}),
            group,
        }
    }

    fn rest(&mut self) -> Rest {
        let door = self.dice.index(self.doors.len());
        Rest::new(self.user.rest.http.clone(), self.doors[door].clone())
            .with_token(&self.user.token)
    }

    async fn ask(&mut self, question: Question) {
        let mut heard = Heard::default();
        let mut since = Instant::now();
        while heard.ends().is_empty() {
            // Counted from when nothing more is broken: until then it may take as long as it takes.
            let orders = *self.board.orders.borrow();
            if orders.talk {
                since = Instant::now();
            }
            if orders.lost || since.elapsed() > END {
                break;
            }
            let request = self.next_request(&question, &heard);
            follow(request, &mut heard).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let Some(run) = heard.run.clone() else {
            if let Some(what) = question.group {
                // Never answered: the run may be there or not, but not twice.
                self.effect(what, false);
            }
            return;
        };
        let replayed = self.replay(&run).await;
        let ends = heard.ends();
        if let Some(what) = question.group {
            let done =
                |event: &SseEvent| event.kind() == "tool_result" && event.data["success"] == true;
            let claimed = replayed.events.iter().any(done);
            self.effect(what, claimed);
        }
        self.board.lock().recording.runs.push(RunSeen {
            id: run,
            ends,
            text: text_of(&heard.events),
            replayed: (replayed.ends(), text_of(&replayed.events)),
        });
    }

    fn effect(&self, what: String, claimed: bool) {
        let effect = Effect {
            what,
            claimed,
            count: 0,
        };
        self.board.lock().recording.effects.push(effect);
    }

    fn next_request(&mut self, question: &Question, heard: &Heard) -> reqwest::RequestBuilder {
        let rest = self.rest();
        match (&heard.run, heard.events.last()) {
            (Some(run), Some(last)) => rest
                .request(Method::GET, &format!("ai/runs/{run}/events"))
                .header("last-event-id", last.id.to_string()),
            _ => rest
                .request(Method::POST, question.path)
                .json(&question.body),
        }
    }

    /// The whole run again, from its first event.
    async fn replay(&mut self, run: &str) -> Heard {
        let start = Instant::now();
        loop {
            let mut heard = Heard::default();
            let rest = self.rest();
            let path = format!("ai/runs/{run}/events");
            follow(rest.request(Method::GET, &path), &mut heard).await;
            if !heard.ends().is_empty() || start.elapsed() > END {
                return heard;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Reads one stream of events as far as it goes.
async fn follow(request: reqwest::RequestBuilder, heard: &mut Heard) {
    let Ok(Ok(answer)) = timeout(STEP, request.timeout(STEP * 6).send()).await else {
        return;
    };
    if answer.status() != 200 {
        return;
    }
    let mut body = Box::pin(answer.bytes_stream());
    let mut unparsed = String::new();
    let mut bytes = Vec::new();
    while let Ok(Some(Ok(more))) = timeout(STEP, body.next()).await {
        bytes.extend_from_slice(&more);
        // Blocks end with two line feeds, which are never inside a character.
        while let Some(end) = bytes.windows(2).position(|two| two == b"\n\n") {
            let rest = bytes.split_off(end + 2);
            let block = std::mem::replace(&mut bytes, rest);
            unparsed.clear();
            unparsed.push_str(&String::from_utf8_lossy(&block));
            if let Some(event) = SseEvent::parse(&unparsed) {
                if event.kind() == "run" {
                    heard.run = event.data["run_id"].as_str().map(str::to_owned);
                }
                heard.events.push(event);
            }
        }
    }
}
