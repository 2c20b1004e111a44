//! A run: one question to the assistant, and the events that its asker sees.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of answer was asked for; also the type of memory that it uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// Plain conversation, no tools.
    Chat,
    /// With tools.
    Agent,
}

impl RunKind {
    /// As the store and clients name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Agent => "agent",
        }
    }

    /// From its name.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "chat" => Some(Self::Chat),
            "agent" => Some(Self::Agent),
            _ => None,
        }
    }
}

/// Where a run is in its life. `Done`, `Failed` and `Stopped` are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RunState {
    /// Committed, waiting for a worker.
    Queued,
    /// A worker holds its lease.
    Running,
    /// Answered.
    Done,
    /// Given up, with an error.
    Failed,
    /// Stopped by its asker.
    Stopped,
}

impl RunState {
    /// As the store names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }

    /// From its name; unknown ones count as failed, which is final and visible.
    pub fn parse(text: &str) -> Self {
        match text {
            "queued" => Self::Queued,
            "running" => Self::Running,
            "done" => Self::Done,
            "stopped" => Self::Stopped,
            _ => Self::Failed,
        }
    }

    /// Whether nothing more will happen.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Stopped)
    }
}

/// Tokens that a run used, as its providers counted them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Usage {
    /// Tokens read.
    pub prompt_tokens: i64,
    /// Tokens written.
    pub completion_tokens: i64,
}

/// One event of a run, in the very shape that SSE clients get as `data`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[schemars(deny_unknown_fields)]
pub enum RunEvent {
    /// First: names the run.
    Run {
        /// The run's id.
        run_id: String,
    },
    /// A tool is about to be called.
    ToolCall {
        /// The tool.
        name: String,
        /// Its arguments, JSON as text.
        args: String,
    },
    /// What it answered.
    ToolResult {
        /// The tool.
        name: String,
        /// Its answer, for people.
        result: String,
        /// Whether it did what was asked.
        success: bool,
    },
    /// A piece of the answer.
    Chunk {
        /// Text to append.
        content: String,
    },
    /// A piece of the model's thinking; may be ignored.
    Reasoning {
        /// Text to append.
        content: String,
    },
    /// Drop what came after event `after`: it comes again.
    Reset {
        /// Why, for people and logs.
        reason: String,
        /// The last event id that still holds.
        after: i64,
    },
    /// The end of an answer.
    Done {
        /// Always empty (kept).
        content: String,
        /// What it cost.
        usage: Usage,
        /// Why the model stopped.
        finish_reason: String,
    },
    /// The end without an answer.
    Error {
        /// A stable code.
        error: String,
        /// What to do.
        message: String,
    },
}

impl RunEvent {
    /// How far this event moves the stream's position: a chunk its bytes, any other 1, a reset 0.
    pub fn units(&self) -> u32 {
        match self {
            Self::Chunk { content } => u32::try_from(content.len()).unwrap_or(u32::MAX),
            Self::Reset { .. } => 0,
            _ => 1,
        }
    }

    /// Whether nothing follows it.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::Error { .. })
    }

    /// The JSON that clients get.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| String::from("{}"))
    }
}

/// A turn of the model as it is committed: its text, and the tools it asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelTurn {
    /// The visible text.
    pub text: String,
    /// The tool calls, in order.
    pub tool_calls: Vec<ToolCall>,
}

/// One tool call of a model's turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The provider's id for it.
    pub id: String,
    /// The tool.
    pub name: String,
    /// Its arguments as the model wrote them; may be broken JSON.
    pub args: String,
}

/// What a tool answered, as it is committed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolOutcome {
    /// For people and for the model.
    pub result: String,
    /// Whether it did what was asked.
    pub success: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_of_older_rows_are_read() {
        let row = r#"{"result":"ok","success":true,"data":{"id":42}}"#;
        let outcome: ToolOutcome = serde_json::from_str(row).unwrap();
        assert_eq!((outcome.result.as_str(), outcome.success), ("ok", true));
    }

    #[test]
    fn events_have_the_published_shape() {
        let event = RunEvent::ToolCall {
            name: "create_group".into(),
            args: "{\"name\":\"x\"}".into(),
        };
        assert_eq!(
            event.to_json(),
            r#"{"type":"tool_call","name":"create_group","args":"{\"name\":\"x\"}"}"#
        );
        let done = RunEvent::Done {
            content: String::new(),
            usage: Usage::default(),
            finish_reason: "stop".into(),
        };
        assert!(done.to_json().starts_with(r#"{"type":"done","content":"""#));
        assert_eq!(
            RunEvent::Chunk {
                content: "好".into()
            }
            .units(),
            3
        );
    }
}
