//! Turns a reply into what goes over the wire: a list of steps, planned before the first byte is sent.

use std::{
    collections::VecDeque,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    ledger::Call,
    script::{Fault, Reply},
};

/// One step of a streamed answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Send this.
    Send(Bytes),
    /// Be due this long after the step before was due.
    Pace(Duration),
    /// Be silent this long, or for ever.
    Stall(Option<Duration>),
    /// Reset the connection.
    Reset,
}

/// What a request asked for that shapes the answer.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) model: String,
    pub(super) usage: bool,
    /// An estimate, for when the script does not say.
    pub(super) prompt_tokens: u64,
}

/// The steps of a streamed answer, faults included.
pub(super) fn steps(reply: &Reply, calls: &[Call], asked: &Asked) -> VecDeque<Step> {
    let pieces = deltas(reply, calls);
    let mut steps = VecDeque::new();
    steps.push_back(Step::Send(chunk(
        asked,
        &json!({"role": "assistant", "content": ""}),
        None,
    )));
    for at in 0..=pieces.len() {
        // A fault behind the last piece strikes at the end.
        let strikes = |after: usize| after == at || (at == pieces.len() && after > at);
        for fault in &reply.faults {
            match fault {
                Fault::Stall { after, ms } if strikes(*after) => {
                    steps.push_back(Step::Stall(ms.map(Duration::from_millis)));
                }
                Fault::Garbage { after } if strikes(*after) => {
                    steps.push_back(Step::Send(Bytes::from_static(
                        b"data: {\"choices\":[{\"delta\n\n",
                    )));
                }
                Fault::Truncate { after } if strikes(*after) => return steps,
                Fault::ErrorInBand { after, message } if strikes(*after) => {
                    steps.push_back(Step::Send(event(
                        &json!({"error": {"message": message, "type": "server_error"}}),
                    )));
                    return steps;
                }
                Fault::Reset { after } if strikes(*after) => {
                    steps.push_back(Step::Reset);
                    return steps;
                }
                _ => {}
            }
        }
        if let Some(piece) = pieces.get(at) {
            if let Some(rate) = reply.rate.filter(|rate| *rate > 0.0) {
                steps.push_back(Step::Pace(Duration::from_secs_f64(1.0 / rate)));
            }
            steps.push_back(Step::Send(chunk(asked, piece, None)));
        }
    }
    steps.push_back(Step::Send(chunk(
        asked,
        &json!({}),
        Some(finish_reason(reply)),
    )));
    if asked.usage {
        let mut last = envelope(asked, "chat.completion.chunk", json!([]));
        last["usage"] = usage(reply, pieces.len(), asked);
        steps.push_back(Step::Send(event(&last)));
    }
    steps.push_back(Step::Send(Bytes::from_static(b"data: [DONE]\n\n")));
    steps
}

/// The answer in one object, for a request without `stream`.
pub(super) fn whole(reply: &Reply, calls: &[Call], asked: &Asked) -> Value {
    let in_band = reply.faults.iter().find_map(|fault| match fault {
        Fault::ErrorInBand { message, .. } => Some(message),
        _ => None,
    });
    if let Some(message) = in_band {
        return json!({"error": {"message": message, "type": "server_error"}});
    }
    let mut message = json!({"role": "assistant", "content": reply.text});
    if !reply.reasoning.is_empty() {
        message["reasoning_content"] = json!(reply.reasoning);
    }
    if !calls.is_empty() {
        let calls: Vec<Value> = calls
            .iter()
            .map(|call| {
                json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}})
            })
            .collect();
        message["tool_calls"] = json!(calls);
        if reply.text.is_empty() {
            message["content"] = Value::Null;
        }
    }
    let truncated = reply
        .faults
        .iter()
        .any(|fault| matches!(fault, Fault::Truncate { .. }));
    let reason = if truncated {
        Value::Null
    } else {
        json!(finish_reason(reply))
    };
    let mut answer = envelope(
        asked,
        "chat.completion",
        json!([{"index": 0, "message": message, "finish_reason": reason}]),
    );
    answer["usage"] = usage(reply, deltas(reply, calls).len(), asked);
    answer
}

/// The `delta` of every piece: reasoning, text, then the calls with their arguments in fragments.
fn deltas(reply: &Reply, calls: &[Call]) -> Vec<Value> {
    let size = if reply.piece == 0 { 4 } else { reply.piece };
    let reasoning = cut(&reply.reasoning, size)
        .into_iter()
        .map(|piece| json!({"reasoning_content": piece}));
    let text = cut(&reply.text, size)
        .into_iter()
        .map(|piece| json!({"content": piece}));
    let mut deltas: Vec<Value> = reasoning.chain(text).collect();
    for (index, call) in calls.iter().enumerate() {
        let function = json!({"name": call.name, "arguments": ""});
        deltas.push(json!({"tool_calls": [{"index": index, "id": call.id, "type": "function", "function": function}]}));
        for piece in cut(&call.arguments, size) {
            deltas
                .push(json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}));
        }
    }
    deltas
}

/// `text` in pieces of `size` characters.
fn cut(text: &str, size: usize) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    characters
        .chunks(size)
        .map(|piece| piece.iter().collect())
        .collect()
}

fn finish_reason(reply: &Reply) -> &str {
    let usual = if reply.tool_calls.is_empty() {
        "stop"
    } else {
        "tool_calls"
    };
    reply.finish_reason.as_deref().unwrap_or(usual)
}

fn usage(reply: &Reply, pieces: usize, asked: &Asked) -> Value {
    let (prompt, completion) = match reply.usage {
        Some(usage) => (usage.prompt_tokens, usage.completion_tokens),
        None => (asked.prompt_tokens, pieces as u64),
    };
    json!({"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion})
}

fn chunk(asked: &Asked, delta: &Value, finish_reason: Option<&str>) -> Bytes {
    let choices = json!([{"index": 0, "delta": delta, "finish_reason": finish_reason}]);
    event(&envelope(asked, "chat.completion.chunk", choices))
}

fn envelope(asked: &Asked, object: &str, choices: Value) -> Value {
    let created = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    json!({"id": "chatcmpl-simulator", "object": object, "created": created, "model": asked.model, "choices": choices})
}

fn event(value: &Value) -> Bytes {
    Bytes::from(format!("data: {value}\n\n"))
}
