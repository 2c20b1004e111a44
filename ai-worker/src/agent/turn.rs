//! One turn of the model: its text goes to the run's log as it comes, its tool calls are put together.

use futures_util::StreamExt as _;
use lingxi_domain::ErrorCode;
use lingxi_domain::run::{ModelTurn, RunEvent, ToolCall, Usage};
use tokio::time::{Instant, timeout_at};

use super::Ending;
use crate::providers::{Delta, Error, ModelRequest, Provider, ToolCallPart};
use crate::run_log::RunLog;

/// The most tool calls in one turn; a model that asks for more has lost its way.
const MAX_CALLS: usize = 32;
/// The most that the arguments of one call may be, in bytes.
const MAX_ARGS_BYTES: usize = 64 * 1024;

/// A finished turn.
pub(super) struct Turn {
    pub(super) turn: ModelTurn,
    pub(super) usage: Usage,
    pub(super) finish_reason: String,
}

/// Streams a turn into `log`. An error ends the run; what was said until then stays.
pub(super) async fn stream(
    provider: &dyn Provider,
    request: &ModelRequest,
    log: &RunLog,
    deadline: Instant,
) -> Result<Turn, Ending> {
    let begun = Instant::now();
    let failed = |error: &Error| {
        let (name, model) = (provider.name().to_owned(), provider.model().to_owned());
        tracing::warn!(provider = name, model, %error, "the model's turn failed");
        metrics::counter!("lingxi_ai_provider_failures_total", "provider" => name).increment(1);
        Ending::new(error.code())
    };
    let late = || Ending::new(ErrorCode::Timeout);
    let opened = timeout_at(deadline, provider.stream(request))
        .await
        .map_err(|_| late())?;
    let mut deltas = opened.map_err(|error| failed(&error))?;
    let mut turn = Turn {
        turn: ModelTurn::default(),
        usage: Usage::default(),
        finish_reason: String::new(),
    };
    let mut calls = Calls::default();
    let mut first = true;
    while let Some(delta) = timeout_at(deadline, deltas.next())
        .await
        .map_err(|_| late())?
    {
        let delta = delta.map_err(|error| failed(&error))?;
        if first {
            first = false;
            metrics::histogram!("lingxi_ai_first_token_seconds", "provider" => provider.name().to_owned())
                .record(begun.elapsed().as_secs_f64());
        }
        match delta {
            Delta::Text(content) if content.is_empty() => {}
            Delta::Text(content) => {
                turn.turn.text.push_str(&content);
                log.push(RunEvent::Chunk { content })?;
            }
            Delta::Reasoning(content) => {
                log.push(RunEvent::Reasoning { content })?;
            }
            Delta::ToolCall(part) => calls
                .add(part)
                .map_err(|TooMuch| Ending::new(ErrorCode::ProviderError))?,
            Delta::Usage(usage) => turn.usage = usage,
            Delta::Finish(reason) => turn.finish_reason = reason,
        }
    }
    if turn.finish_reason.is_empty() {
        let truncated = Error::new(
            crate::providers::Failure::Truncated,
            "the turn ended without a reason",
        );
        return Err(failed(&truncated));
    }
    turn.turn.tool_calls = calls.done();
    Ok(turn)
}

/// The model asked for more than is sane.
#[derive(Debug)]
struct TooMuch;

/// Tool calls while their parts come in.
#[derive(Default)]
struct Calls {
    calls: Vec<(Option<u32>, ToolCall)>,
}

impl Calls {
    fn add(&mut self, part: ToolCallPart) -> Result<(), TooMuch> {
        let place = match part.index {
            // Servers that count every call as 0 are told by another id.
            Some(index) => self.calls.iter().rposition(|(known, call)| {
                let other = part
                    .id
                    .as_ref()
                    .is_some_and(|id| !call.id.is_empty() && call.id != *id);
                *known == Some(index) && !other
            }),
            // No index: a part with a new id or a name begins a call, others continue the last one.
            None => {
                let last = self.calls.last().map(|(_, call)| call);
                let same = match (&part.id, &part.name) {
                    (Some(id), _) => last.is_some_and(|call| call.id == *id),
                    (None, Some(_)) => false,
                    (None, None) => last.is_some(),
                };
                same.then(|| self.calls.len() - 1)
            }
        };
        let place = match place {
            Some(place) => place,
            None if self.calls.len() >= MAX_CALLS => return Err(TooMuch),
            None => {
                let empty = ToolCall {
                    id: String::new(),
                    name: String::new(),
                    args: String::new(),
                };
                self.calls.push((part.index, empty));
                self.calls.len() - 1
            }
        };
        if let Some((_, call)) = self.calls.get_mut(place) {
            if let Some(id) = part.id {
                call.id = id;
            }
            // Some servers repeat the name in every part.
            if let Some(name) = part.name.filter(|name| *name != call.name) {
                call.name.push_str(&name);
            }
            call.args.push_str(&part.args);
            if call.args.len() > MAX_ARGS_BYTES {
                return Err(TooMuch);
            }
        }
        Ok(())
    }

    fn done(self) -> Vec<ToolCall> {
        let mut calls: Vec<ToolCall> = self.calls.into_iter().map(|(_, call)| call).collect();
        for (number, call) in calls.iter_mut().enumerate() {
            // Results refer to calls by id: those of servers that give none get one.
            if call.id.is_empty() {
                call.id = format!("call_{number}");
            }
        }
        calls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(index: Option<u32>, id: Option<&str>, name: Option<&str>, args: &str) -> ToolCallPart {
        ToolCallPart {
            index,
            id: id.map(Into::into),
            name: name.map(Into::into),
            args: args.into(),
        }
    }

    fn together(parts: Vec<ToolCallPart>) -> Vec<(String, String, String)> {
        let mut calls = Calls::default();
        for part in parts {
            calls.add(part).unwrap();
        }
        calls
            .done()
            .into_iter()
            .map(|c| (c.id, c.name, c.args))
            .collect()
    }

    fn call(id: &str, name: &str, args: &str) -> (String, String, String) {
        (id.into(), name.into(), args.into())
    }

    #[test]
    fn parts_are_put_together_by_index() {
        let calls = together(vec![
            part(Some(0), Some("a"), Some("x"), ""),
            part(Some(1), Some("b"), Some("y"), "{"),
            part(Some(0), None, None, "{}"),
            part(Some(1), None, None, "}"),
        ]);
        assert_eq!(calls, [call("a", "x", "{}"), call("b", "y", "{}")]);
    }

    #[test]
    fn servers_without_an_index_or_an_id_are_understood() {
        let calls = together(vec![
            part(None, Some("a"), Some("x"), "{\"n\""),
            part(None, None, None, ":1}"),
            part(None, Some("b"), Some("y"), "{}"),
            part(None, None, Some("z"), "{}"),
        ]);
        assert_eq!(
            calls,
            [
                call("a", "x", "{\"n\":1}"),
                call("b", "y", "{}"),
                call("call_2", "z", "{}")
            ]
        );
        // Index 0 for all.
        let calls = together(vec![
            part(Some(0), Some("a"), Some("x"), "{}"),
            part(Some(0), Some("b"), Some("y"), "{}"),
        ]);
        assert_eq!(calls, [call("a", "x", "{}"), call("b", "y", "{}")]);
        // The name in every part.
        let calls = together(vec![
            part(Some(0), Some("a"), Some("x"), "{"),
            part(Some(0), Some("a"), Some("x"), "}"),
        ]);
        assert_eq!(calls, [call("a", "x", "{}")]);
    }

    #[test]
    fn a_model_that_asks_for_too_much_is_refused() {
        let mut calls = Calls::default();
        for n in 0..32 {
            calls.add(part(Some(n), None, Some("x"), "")).unwrap();
        }
        assert!(calls.add(part(Some(99), None, Some("x"), "")).is_err());
        assert!(
            calls
                .add(part(Some(0), None, None, &"x".repeat(MAX_ARGS_BYTES + 1)))
                .is_err()
        );
    }
}
