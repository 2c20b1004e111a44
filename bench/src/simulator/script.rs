//! What the simulator says, and how it fails. All of it reads from JSON too.

use std::collections::VecDeque;

use serde::Deserialize;
use serde_json::Value;

/// Everything a simulator answers.
///
/// The next reply to a question is the front of `queue`; when that is empty, the first rule that matches; else
/// `otherwise`, else the text "好的". A request that ends in tool results is answered by the `then` of the reply that made
/// the calls; when it has none, by the front of the queue, else `otherwise`, never by a rule.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// Replies given once each, in order.
    pub queue: VecDeque<Reply>,
    /// Replies chosen by the last user message.
    pub rules: Vec<Rule>,
    /// The reply when nothing else fits.
    pub otherwise: Option<Reply>,
    /// When set, a request needs `Authorization: Bearer <this>`, else 401.
    pub api_key: Option<String>,
    /// Models listed by `GET /v1/models`; default `simulator`.
    pub models: Vec<String>,
}

impl Script {
    /// A script that answers everything with `reply`.
    #[must_use]
    pub fn always(reply: Reply) -> Self {
        Self {
            otherwise: Some(reply),
            ..Self::default()
        }
    }

    /// A script that gives these replies once each, in order.
    #[must_use]
    pub fn queue(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self {
            queue: replies.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Adds a rule.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }
}

/// Replies for questions that contain a text.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// The last user message must contain this; empty matches all.
    pub contains: String,
    /// The first is given at the first match and so on; the last one again and again.
    pub replies: VecDeque<Reply>,
}

impl Rule {
    /// A rule with one reply.
    #[must_use]
    pub fn new(contains: &str, reply: Reply) -> Self {
        Self {
            contains: contains.to_owned(),
            replies: VecDeque::from([reply]),
        }
    }
}

/// One answer of the model: thinking aloud, text and tool calls, in this order.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reply {
    /// The text.
    pub text: String,
    /// `reasoning_content`, streamed before the text.
    pub reasoning: String,
    /// Tool calls; more than one are parallel calls.
    pub tool_calls: Vec<Tool>,
    /// Characters a piece of text, reasoning or arguments; 0 means 4.
    pub piece: usize,
    /// Pieces a second; none: as fast as the socket takes them.
    pub rate: Option<f64>,
    /// Token counts; default: pieces counted, sent when the request asks for them.
    pub usage: Option<Usage>,
    /// Default `stop`, or `tool_calls` when there are any.
    pub finish_reason: Option<String>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// What it says when the results of the tool calls come back: the first to the first such request and so on, the last
    /// one again and again.
    pub then: Vec<Reply>,
}

impl Reply {
    /// A plain text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            ..Self::default()
        }
    }

    /// One tool call.
    #[must_use]
    pub fn call(name: &str, args: Value) -> Self {
        Self::default().and_call(name, args)
    }

    /// An HTTP error.
    #[must_use]
    pub fn status(code: u16) -> Self {
        Self::default().fault(Fault::Status {
            code,
            retry_after: None,
        })
    }

    /// HTTP 429 with `Retry-After`.
    #[must_use]
    pub fn too_many(retry_after: u64) -> Self {
        Self::default().fault(Fault::Status {
            code: 429,
            retry_after: Some(retry_after),
        })
    }

    /// One more tool call in the same turn.
    #[must_use]
    pub fn and_call(mut self, name: &str, args: Value) -> Self {
        self.tool_calls.push(Tool {
            name: name.to_owned(),
            args,
        });
        self
    }

    /// What it says after the tool results.
    #[must_use]
    pub fn then(mut self, reply: Self) -> Self {
        self.then.push(reply);
        self
    }

    /// One more fault.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Thinks this aloud first.
    #[must_use]
    pub fn reasoning(mut self, text: &str) -> Self {
        text.clone_into(&mut self.reasoning);
        self
    }

    /// Streams pieces of `piece` characters, `rate` a second.
    #[must_use]
    pub fn paced(mut self, piece: usize, rate: f64) -> Self {
        self.piece = piece;
        self.rate = Some(rate);
        self
    }

    /// Reports these token counts.
    #[must_use]
    pub fn usage(mut self, prompt_tokens: u64, completion_tokens: u64) -> Self {
        self.usage = Some(Usage {
            prompt_tokens,
            completion_tokens,
        });
        self
    }

    /// Ends with this `finish_reason`.
    #[must_use]
    pub fn finish(mut self, reason: &str) -> Self {
        self.finish_reason = Some(reason.to_owned());
        self
    }

    pub(super) fn breaks_arguments(&self) -> bool {
        self.faults
            .iter()
            .any(|fault| matches!(fault, Fault::BrokenArguments))
    }
}

/// A tool call to make.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// The function's name.
    pub name: String,
    /// Its arguments, usually an object.
    #[serde(default)]
    pub args: Value,
}

/// Token counts as a provider reports them.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Usage {
    /// Tokens of the request.
    pub prompt_tokens: u64,
    /// Tokens of the answer.
    pub completion_tokens: u64,
}

/// What goes wrong. `after` counts pieces of reasoning, text and arguments that still go out.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// This HTTP status instead of an answer.
    Status {
        /// 429, 500, 503, …
        code: u16,
        /// `Retry-After`, in seconds.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// Nothing at all, not even the response's head, for this long.
    StallBeforeHeaders {
        /// Milliseconds; none: until the client goes away.
        #[serde(default)]
        ms: Option<u64>,
    },
    /// Silence in the stream. With `after` 0 it is a stall before the first token.
    Stall {
        /// Pieces before it.
        #[serde(default)]
        after: usize,
        /// Milliseconds; none: until the client goes away.
        #[serde(default)]
        ms: Option<u64>,
    },
    /// The stream ends properly as HTTP, but without `finish_reason` and `[DONE]`.
    Truncate {
        /// Pieces before it.
        #[serde(default)]
        after: usize,
    },
    /// An `{"error":…}` object in the stream, which then ends.
    ErrorInBand {
        /// Pieces before it.
        #[serde(default)]
        after: usize,
        /// The error's message.
        #[serde(default)]
        message: String,
    },
    /// An event that is not JSON; the stream goes on behind it.
    Garbage {
        /// Pieces before it.
        #[serde(default)]
        after: usize,
    },
    /// The TCP connection is reset.
    Reset {
        /// Pieces before it.
        #[serde(default)]
        after: usize,
    },
    /// The arguments of every tool call are cut in half, so they are no JSON.
    BrokenArguments,
}
