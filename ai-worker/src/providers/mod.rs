//! Where answers come from: anything that streams deltas for messages and tools.
//!
//! [`Provider`] is one source; [`openai`] speaks to every OpenAI-compatible server, [`demo`] stands in when there is
//! none. [`Models`] is what an agent asks, anew for every call: [`Choice`] takes the source that is the right one at that
//! moment.

mod choice;
pub mod demo;
mod ollama;
pub mod openai;
mod said;

use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::Stream;
use lingxi_domain::ErrorCode;
use lingxi_domain::run::{ToolCall, Usage};
use serde_json::Value;

pub use choice::Choice;
pub(crate) use said::said;

/// One message of the conversation that a model continues.
#[derive(Clone, Debug, PartialEq)]
pub enum ChatMessage {
    /// Instructions that frame everything.
    System(String),
    /// What the user said.
    User(String),
    /// What the model said, and the tools it asked for.
    Assistant {
        /// The text.
        text: String,
        /// The tool calls, in order.
        tool_calls: Vec<ToolCall>,
    },
    /// What a tool answered.
    Tool {
        /// Which call it answers.
        call_id: String,
        /// The answer, marked as data.
        content: String,
    },
}

/// A tool as a model is told about it.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolSpec {
    /// Its name.
    pub name: &'static str,
    /// What it does and when to use it.
    pub description: &'static str,
    /// JSON schema of its arguments.
    pub parameters: Value,
}

/// What a model is asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelRequest {
    /// The conversation, oldest first.
    pub messages: Vec<ChatMessage>,
    /// The tools that it may ask for; none for plain conversation.
    pub tools: Vec<ToolSpec>,
}

/// A piece of a model's turn.
#[derive(Clone, Debug, PartialEq)]
pub enum Delta {
    /// Text of the answer.
    Text(String),
    /// Thinking aloud.
    Reasoning(String),
    /// A part of a tool call; parts of one call share an index.
    ToolCall(ToolCallPart),
    /// What the turn cost.
    Usage(Usage),
    /// The end of the turn, and why. A stream without it was cut off.
    Finish(String),
}

/// A part of a tool call, as it streams in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolCallPart {
    /// Which call of the turn; `None` where the server does not say.
    pub index: Option<u32>,
    /// Its id, usually in the first part only.
    pub id: Option<String>,
    /// The tool's name, usually in the first part only.
    pub name: Option<String>,
    /// More of the arguments.
    pub args: String,
}

/// The class of a provider's failure: what failover decides on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No connection, or it broke.
    Connection,
    /// No answer's head or first token in time.
    FirstToken,
    /// Silence in the middle of an answer.
    Idle,
    /// The whole turn took too long.
    Total,
    /// An HTTP error.
    Status {
        /// The status.
        code: u16,
        /// Seconds after which to try again, if the server said so.
        retry_after: Option<u64>,
    },
    /// The stream ended without saying why.
    Truncated,
    /// The stream carried an error.
    InBand,
}

/// A failed call of a provider. The text is for logs: it may hold what the server said, never what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{failure:?}: {detail}")]
pub struct Error {
    /// What kind of failure.
    pub failure: Failure,
    /// What exactly.
    pub detail: String,
}

impl Error {
    /// A failure with its particulars.
    pub fn new(failure: Failure, detail: impl std::fmt::Display) -> Self {
        // A server may answer a whole page, with anything in it.
        let detail = said(&detail.to_string(), 300);
        Self { failure, detail }
    }

    /// What the asker is told.
    pub fn code(&self) -> ErrorCode {
        match self.failure {
            Failure::FirstToken | Failure::Idle | Failure::Total => ErrorCode::Timeout,
            _ => ErrorCode::ProviderError,
        }
    }
}

/// A turn of a model as it comes. Dropping it ends the request.
pub type DeltaStream = Pin<Box<dyn Stream<Item = Result<Delta, Error>> + Send>>;

/// A source of answers.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Its name, for logs and metrics.
    fn name(&self) -> &str;

    /// The model it asks, for logs and metrics.
    fn model(&self) -> &str;

    /// Begins a turn. Deltas come in order; after an error or [`Delta::Finish`] and its usage nothing more comes.
    async fn stream(&self, request: &ModelRequest) -> Result<DeltaStream, Error>;
}

/// A call of a model: who was asked, and what comes of it.
pub struct ModelCall {
    /// Who was asked, for logs and metrics.
    pub provider: Arc<dyn Provider>,
    /// The turn, as it comes.
    pub deltas: Result<DeltaStream, Error>,
}

/// What an agent asks. The source is chosen anew for every call, so whatever decides on that (what is configured, what
/// answers, what failed of late) is behind this one interface, and can be put around another one.
#[async_trait]
pub trait Models: Send + Sync {
    /// Begins a turn.
    async fn ask(&self, request: &ModelRequest) -> ModelCall;
}
