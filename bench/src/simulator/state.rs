//! What a simulator remembers, and how it chooses a reply.

use std::sync::{Arc, atomic::AtomicUsize};

use parking_lot::Mutex;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{
    ledger::{Call, Ledger, Violation},
    request::Request,
    script::{Reply, Script},
};

/// Shared by the handlers of one simulator.
#[derive(Debug)]
pub(super) struct State {
    pub(super) script: Mutex<Script>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) requests: Mutex<Vec<Request>>,
    pub(super) violations: Mutex<Vec<Violation>>,
    pub(super) open: AtomicUsize,
    pub(super) abandoned: AtomicUsize,
    pub(super) stop: CancellationToken,
}

impl State {
    /// Requests that are remembered; a load test must not fill the memory.
    const REMEMBERED: usize = 20_000;

    pub(super) fn new(script: Script, ledger: Arc<Ledger>) -> Self {
        Self {
            script: Mutex::new(script),
            ledger,
            requests: Mutex::default(),
            violations: Mutex::default(),
            open: AtomicUsize::new(0),
            abandoned: AtomicUsize::new(0),
            stop: CancellationToken::new(),
        }
    }

    pub(super) fn remember(&self, request: Request) {
        let mut requests = self.requests.lock();
        if requests.len() >= Self::REMEMBERED {
            requests.drain(..Self::REMEMBERED / 2);
        }
        requests.push(request);
    }

    /// Checks the request's tool messages and picks the reply to it, with its calls issued.
    ///
    /// # Errors
    /// The violation, which is recorded too.
    pub(super) fn reply_to(&self, request: &Request) -> Result<(Reply, Vec<Call>), Violation> {
        if let Err(violation) = self.ledger.check(request.messages()) {
            self.violations.lock().push(violation.clone());
            return Err(violation);
        }
        let question = request.last_user();
        let reply = match request.messages().last() {
            Some(last) if last["role"] == "tool" => self.after_results(&last["tool_call_id"]),
            _ => self.to_question(&question),
        };
        let calls = self.ledger.issue(&reply, &question);
        Ok((reply, calls))
    }

    fn after_results(&self, id: &Value) -> Reply {
        if let Some(reply) = self.ledger.follow_up(id.as_str().unwrap_or_default()) {
            return reply;
        }
        let mut script = self.script.lock();
        script
            .queue
            .pop_front()
            .or_else(|| script.otherwise.clone())
            .unwrap_or_else(acknowledgement)
    }

    fn to_question(&self, question: &str) -> Reply {
        let mut script = self.script.lock();
        if let Some(reply) = script.queue.pop_front() {
            return reply;
        }
        if let Some(rule) = script
            .rules
            .iter_mut()
            .find(|rule| question.contains(&rule.contains))
        {
            let once = if rule.replies.len() > 1 {
                rule.replies.pop_front()
            } else {
                rule.replies.front().cloned()
            };
            if let Some(reply) = once {
                return reply;
            }
        }
        script.otherwise.clone().unwrap_or_else(acknowledgement)
    }
}

fn acknowledgement() -> Reply {
    Reply::text("好的")
}
