//! The stand-in for when there is no model: rules, no language model, and it says so in every answer.
//!
//! It is a provider like any other. It gets messages and tools and yields deltas; it keeps nothing between turns and
//! finds out from the messages how far it has come.

mod answer;
mod chinese;
mod english;
mod intent;
mod plan;
mod words;

use async_trait::async_trait;
use futures_util::{StreamExt as _, stream};
use lingxi_domain::run::Usage;

use self::plan::Progress;
use super::{ChatMessage, Delta, DeltaStream, Error, ModelRequest, Provider, ToolCallPart};

/// Characters in one piece of text.
const PIECE: usize = 4;

/// The demo model.
pub struct Demo;

#[async_trait]
impl Provider for Demo {
    fn name(&self) -> &str {
        "demo"
    }

    fn model(&self) -> &str {
        "demo"
    }

    async fn stream(&self, request: &ModelRequest) -> Result<DeltaStream, Error> {
        let deltas = turn(request);
        Ok(Box::pin(stream::iter(deltas).then(|delta| async {
            // Others get to work between two pieces, as with a model that takes its time.
            tokio::task::yield_now().await;
            Ok(delta)
        })))
    }
}

/// One turn: a tool call that is still to be made, or the answer.
fn turn(request: &ModelRequest) -> Vec<Delta> {
    let question = question(&request.messages);
    let progress = Progress::of(&plan::plan(question), &request.messages, &request.tools);
    let mut deltas = Vec::new();
    let reason = match &progress.next {
        Some((name, args)) => {
            let call = |part: ToolCallPart| {
                Delta::ToolCall(ToolCallPart {
                    index: Some(0),
                    ..part
                })
            };
            let id = Some(format!("demo_{}", progress.done.len() + 1));
            deltas.push(call(ToolCallPart {
                id,
                name: Some((*name).to_owned()),
                ..ToolCallPart::default()
            }));
            let args = args.to_string();
            deltas.extend(pieces(&args).map(|args| {
                call(ToolCallPart {
                    args,
                    ..ToolCallPart::default()
                })
            }));
            "tool_calls"
        }
        None => {
            let text = answer::answer(question, &progress, request.tools.is_empty());
            deltas.extend(pieces(&text).map(Delta::Text));
            "stop"
        }
    };
    let usage = Usage {
        prompt_tokens: size(&request.messages),
        completion_tokens: count(deltas.len()),
    };
    deltas.push(Delta::Finish(reason.to_owned()));
    deltas.push(Delta::Usage(usage));
    deltas
}

fn question(messages: &[ChatMessage]) -> &str {
    let asked = messages.iter().rev().find_map(|message| match message {
        ChatMessage::User(text) => Some(text.as_str()),
        _ => None,
    });
    asked.unwrap_or_default()
}

fn pieces(text: &str) -> impl Iterator<Item = String> {
    let characters: Vec<char> = text.chars().collect();
    let pieces: Vec<String> = characters
        .chunks(PIECE)
        .map(|piece| piece.iter().collect())
        .collect();
    pieces.into_iter()
}

/// Tokens, roughly: a model would count about one for four bytes.
fn size(messages: &[ChatMessage]) -> i64 {
    let bytes = messages.iter().map(|message| match message {
        ChatMessage::System(text) | ChatMessage::User(text) => text.len(),
        ChatMessage::Assistant { text, tool_calls } => {
            text.len() + tool_calls.iter().map(|c| c.args.len()).sum::<usize>()
        }
        ChatMessage::Tool { content, .. } => content.len(),
    });
    count(bytes.sum::<usize>() / 4)
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
