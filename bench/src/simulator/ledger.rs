//! Which tool calls were issued, and whether what comes back fits them.

use std::{
    collections::HashMap,
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;
use serde_json::Value;

use super::script::Reply;

/// A breach of the tool call protocol, with the messages that show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// A stable word: `unknown_call`, `wrong_conversation`, `wrong_name`, `wrong_arguments`, `missing_call`,
    /// `missing_result`, `duplicate_result`, `orphan_result`, `malformed`.
    pub kind: &'static str,
    /// What exactly.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.kind, self.detail)
    }
}

/// A tool call as it went out.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) arguments: String,
    /// Cut on purpose: any arguments may come back.
    pub(super) broken: bool,
}

/// An assistant turn that made tool calls.
#[derive(Debug)]
struct Turn {
    calls: Vec<Call>,
    /// The user message it answered: what tells one conversation from another.
    question: String,
    then: Vec<Reply>,
    /// How many requests with its results have come.
    continued: usize,
}

/// The tool calls issued by one simulator, or by several that stand in for each other.
#[derive(Debug, Default)]
pub struct Ledger {
    turns: Mutex<HashMap<u64, Turn>>,
    next: AtomicU64,
}

impl Ledger {
    /// Issues the calls of `reply`, made in answer to `question`.
    pub(super) fn issue(&self, reply: &Reply, question: &str) -> Vec<Call> {
        if reply.tool_calls.is_empty() {
            return Vec::new();
        }
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        // A random part: an id that a client made up, or kept from another simulator, is not one of ours by chance.
        let random: u32 = rand::random();
        let broken = reply.breaks_arguments();
        let calls: Vec<Call> = reply
            .tool_calls
            .iter()
            .enumerate()
            .map(|(ordinal, tool)| {
                let mut arguments = tool.args.to_string();
                if broken {
                    let half = (0..=arguments.len() / 2)
                        .rev()
                        .find(|at| arguments.is_char_boundary(*at));
                    arguments.truncate(half.unwrap_or(0).max(1));
                }
                Call {
                    id: format!("call_{turn}_{ordinal}_{random:08x}"),
                    name: tool.name.clone(),
                    arguments,
                    broken,
                }
            })
            .collect();
        let then = reply.then.clone();
        let turn_row = Turn {
            calls: calls.clone(),
            question: question.to_owned(),
            then,
            continued: 0,
        };
        self.turns.lock().insert(turn, turn_row);
        calls
    }

    /// The reply to the results of the call `id`, when its turn has one scripted.
    pub(super) fn follow_up(&self, id: &str) -> Option<Reply> {
        let mut turns = self.turns.lock();
        let turn = turns.get_mut(&turn_of(id)?)?;
        let at = turn.continued.min(turn.then.len().checked_sub(1)?);
        turn.continued += 1;
        turn.then.get(at).cloned()
    }

    /// Checks every tool call and result in `messages`.
    ///
    /// # Errors
    /// The first violation.
    pub fn check(&self, messages: &[Value]) -> Result<(), Violation> {
        let mut question = String::new();
        let mut awaited: Vec<String> = Vec::new();
        let mut answered: Vec<String> = Vec::new();
        for message in messages {
            let role = text(&message["role"]);
            if role == "tool" {
                let id = text(&message["tool_call_id"]).to_owned();
                if let Some(at) = awaited.iter().position(|awaited| *awaited == id) {
                    answered.push(awaited.swap_remove(at));
                    continue;
                }
                return Err(if answered.contains(&id) {
                    violation("duplicate_result", format!("a second result for {id}"))
                } else {
                    violation(
                        "orphan_result",
                        format!("a result for {id}, which the assistant turn before did not call"),
                    )
                });
            }
            missing(&awaited)?;
            answered.clear();
            match role {
                "user" => question = content(message),
                "assistant" => awaited = self.check_turn(message, &question)?,
                _ => {}
            }
        }
        missing(&awaited)
    }

    /// Checks the echo of an assistant turn; returns the ids of its calls.
    fn check_turn(&self, message: &Value, question: &str) -> Result<Vec<String>, Violation> {
        let echoed = match &message["tool_calls"] {
            Value::Array(calls) => calls.as_slice(),
            _ => return Ok(Vec::new()),
        };
        let mut ids: Vec<String> = Vec::new();
        let turns = self.turns.lock();
        for call in echoed {
            let id = text(&call["id"]);
            let turn = turn_of(id).and_then(|turn| turns.get(&turn));
            let known = turn
                .and_then(|turn| Some((turn, turn.calls.iter().find(|issued| issued.id == id)?)));
            let Some((turn, issued)) = known else {
                return Err(violation(
                    "unknown_call",
                    format!("{id:?} was never issued"),
                ));
            };
            if turn.question != question {
                let detail = format!("{id} answered {:?}, not {question:?}", turn.question);
                return Err(violation("wrong_conversation", detail));
            }
            let (name, arguments) = (
                text(&call["function"]["name"]),
                text(&call["function"]["arguments"]),
            );
            if name != issued.name {
                return Err(violation(
                    "wrong_name",
                    format!("{id} called {}, not {name:?}", issued.name),
                ));
            }
            if !issued.broken && !same_json(arguments, &issued.arguments) {
                let detail = format!("{id} was called with {}, not {arguments}", issued.arguments);
                return Err(violation("wrong_arguments", detail));
            }
            if ids.iter().any(|other| other == id) {
                return Err(violation(
                    "malformed",
                    format!("{id} twice in one assistant turn"),
                ));
            }
            if ids
                .first()
                .is_some_and(|first| turn_of(first) != turn_of(id))
            {
                return Err(violation(
                    "malformed",
                    format!("{id} is of another turn than {}", ids[0]),
                ));
            }
            ids.push(id.to_owned());
        }
        let whole = ids
            .first()
            .and_then(|id| turns.get(&turn_of(id)?))
            .map_or(&[][..], |turn| &turn.calls);
        match whole.iter().find(|issued| !ids.contains(&issued.id)) {
            Some(left_out) => Err(violation(
                "missing_call",
                format!("{} is left out of its turn", left_out.id),
            )),
            None => Ok(ids),
        }
    }
}

fn missing(awaited: &[String]) -> Result<(), Violation> {
    match awaited.first() {
        Some(id) => Err(violation("missing_result", format!("no result for {id}"))),
        None => Ok(()),
    }
}

fn violation(kind: &'static str, detail: String) -> Violation {
    Violation { kind, detail }
}

fn turn_of(id: &str) -> Option<u64> {
    id.strip_prefix("call_")?.split('_').next()?.parse().ok()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The text of a message, whether it is a string or a list of parts.
pub(super) fn content(message: &Value) -> String {
    match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| part["text"].as_str())
            .collect(),
        _ => String::new(),
    }
}

fn same_json(one: &str, other: &str) -> bool {
    let parse = |text| serde_json::from_str::<Value>(text).ok();
    one == other || parse(one).is_some_and(|value| Some(value) == parse(other))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Call, Ledger, Reply};

    fn issued() -> (Ledger, Vec<Call>) {
        let ledger = Ledger::default();
        let reply = Reply::call("create_group", json!({"name": "Go"}))
            .and_call("invite_member", json!({"id": 1}));
        let calls = ledger.issue(&reply, "make a group");
        (ledger, calls)
    }

    fn turn(calls: &[Call]) -> Value {
        let calls: Vec<Value> = calls
            .iter()
            .map(|call| {
                json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}})
            })
            .collect();
        json!({"role": "assistant", "content": null, "tool_calls": calls})
    }

    fn user(text: &str) -> Value {
        json!({"role": "user", "content": text})
    }

    fn result(id: &str) -> Value {
        json!({"role": "tool", "tool_call_id": id, "content": "done"})
    }

    #[track_caller]
    fn breach(ledger: &Ledger, messages: &[Value]) -> &'static str {
        ledger.check(messages).unwrap_err().kind
    }

    #[test]
    fn the_right_results_in_any_order_are_fine() {
        let (ledger, calls) = issued();
        let messages = [
            user("make a group"),
            turn(&calls),
            result(&calls[1].id),
            result(&calls[0].id),
            user("thanks"),
        ];
        assert_eq!(ledger.check(&messages), Ok(()));
        assert_eq!(ledger.check(&messages[..4]), Ok(()));
    }

    #[test]
    fn made_up_ids_are_violations() {
        let (ledger, calls) = issued();
        let mut forged = calls.clone();
        forged[0].id = "call_0_0_00000000".to_owned();
        assert_eq!(
            breach(&ledger, &[user("make a group"), turn(&forged)]),
            "unknown_call"
        );
        let mut foreign = calls.clone();
        foreign[0].id = "call_abc".to_owned();
        assert_eq!(
            breach(&ledger, &[user("make a group"), turn(&foreign)]),
            "unknown_call"
        );
        let orphan = [user("make a group"), turn(&calls), result("call_9")];
        assert_eq!(breach(&ledger, &orphan), "orphan_result");
        assert_eq!(
            breach(&ledger, &[user("make a group"), result(&calls[0].id)]),
            "orphan_result"
        );
    }

    #[test]
    fn exactly_one_result_a_call() {
        let (ledger, calls) = issued();
        let [first, second] = [result(&calls[0].id), result(&calls[1].id)];
        let start = [user("make a group"), turn(&calls)];
        let with = |results: &[Value]| [&start[..], results].concat();
        assert_eq!(breach(&ledger, &with(&[])), "missing_result");
        assert_eq!(
            breach(&ledger, &with(&[first.clone(), user("next")])),
            "missing_result"
        );
        assert_eq!(
            breach(&ledger, &with(&[first.clone(), first.clone()])),
            "duplicate_result"
        );
        assert_eq!(
            breach(
                &ledger,
                &with(&[first, second, user("next"), result(&calls[1].id)])
            ),
            "orphan_result"
        );
    }

    #[test]
    fn the_echo_must_match_what_was_said() {
        let (ledger, calls) = issued();
        let question = user("make a group");
        let changed = |change: fn(&mut Vec<Call>)| {
            let mut calls = calls.clone();
            change(&mut calls);
            [question.clone(), turn(&calls)]
        };
        assert_eq!(
            breach(
                &ledger,
                &changed(|calls| calls[0].name = "leave_group".into())
            ),
            "wrong_name"
        );
        assert_eq!(
            breach(
                &ledger,
                &changed(|calls| calls[1].arguments = r#"{"id":2}"#.into())
            ),
            "wrong_arguments"
        );
        assert_eq!(
            breach(&ledger, &changed(|calls| calls.truncate(1))),
            "missing_call"
        );
        assert_eq!(
            breach(&ledger, &changed(|calls| calls[1] = calls[0].clone())),
            "malformed"
        );
        assert_eq!(
            breach(&ledger, &[user("something else"), turn(&calls)]),
            "wrong_conversation"
        );
    }

    #[test]
    fn spacing_of_arguments_does_not_matter_and_broken_ones_may_be_mended() {
        let ledger = Ledger::default();
        let mut calls = ledger.issue(&Reply::call("f", json!({"a": 1, "b": [2]})), "q");
        calls[0].arguments = r#"{ "b": [2], "a": 1 }"#.to_owned();
        assert_eq!(
            ledger.check(&[user("q"), turn(&calls), result(&calls[0].id)]),
            Ok(())
        );
        let reply =
            Reply::call("f", json!({"a": "好的好的"})).fault(super::super::Fault::BrokenArguments);
        let mut calls = ledger.issue(&reply, "q");
        assert!(serde_json::from_str::<Value>(&calls[0].arguments).is_err());
        calls[0].arguments = "{}".to_owned();
        assert_eq!(
            ledger.check(&[user("q"), turn(&calls), result(&calls[0].id)]),
            Ok(())
        );
    }

    #[test]
    fn follow_ups_come_in_order_and_the_last_stays() {
        let ledger = Ledger::default();
        let calls = ledger.issue(
            &Reply::call("f", json!({}))
                .then(Reply::text("1"))
                .then(Reply::text("2")),
            "q",
        );
        let said: Vec<_> = (0..3)
            .map(|_| ledger.follow_up(&calls[0].id).unwrap().text)
            .collect();
        assert_eq!(said, ["1", "2", "2"]);
        assert!(ledger.follow_up("call_77").is_none());
    }
}
