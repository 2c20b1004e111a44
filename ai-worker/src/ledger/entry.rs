//! What can be written into a ledger.

use lingxi_domain::ErrorCode;
use lingxi_domain::run::{RunEvent, Usage};

/// What subscribers may hear before it is committed: none of it says that something was done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Live {
    /// Text of the answer.
    Text(String),
    /// Thinking aloud.
    Reasoning(String),
    /// A tool is about to be called.
    ToolCall {
        name: String,
        /// JSON, as the model wrote it.
        args: String,
    },
}

impl From<Live> for RunEvent {
    fn from(live: Live) -> Self {
        match live {
            Live::Text(content) => Self::Chunk { content },
            Live::Reasoning(content) => Self::Reasoning { content },
            Live::ToolCall { name, args } => Self::ToolCall { name, args },
        }
    }
}

/// How a run ends.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Closing {
    /// With this answer.
    Answered {
        text: String,
        /// Why the model stopped.
        finish_reason: String,
    },
    /// With an error that its asker sees. What was said since the last commit is kept as the answer.
    Failed { code: ErrorCode, message: String },
}

impl Closing {
    pub(super) fn event(&self, usage: Usage) -> RunEvent {
        match self {
            Self::Answered { finish_reason, .. } => RunEvent::Done {
                content: String::new(),
                usage,
                finish_reason: finish_reason.clone(),
            },
            Self::Failed { code, message } => RunEvent::Error {
                error: code.as_str().into(),
                message: message.clone(),
            },
        }
    }
}
