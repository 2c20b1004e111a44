//! What a run did so far: read back from its committed steps, then kept up while it goes on.

use lingxi_domain::run::{ModelTurn, ToolCall, ToolOutcome, Usage};
use lingxi_store::{RunStep, StepKind};
use serde::{Deserialize, Serialize};

/// The body of a model's step.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ModelBody {
    pub(super) turn: ModelTurn,
    pub(super) usage: Usage,
}

/// The body of a tool's step.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ToolBody {
    pub(super) call_id: String,
    pub(super) outcome: ToolOutcome,
}

/// A turn of the model and what its calls came to, as far as they were done.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) turn: ModelTurn,
    pub(super) outcomes: Vec<ToolBody>,
}

/// Everything before the next model call.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) exchanges: Vec<Exchange>,
    pub(super) usage: Usage,
    pub(super) model_calls: u32,
    /// The number of the next step.
    pub(super) step: i64,
    /// The step of the last model turn: what the idempotency keys of its calls are made of.
    pub(super) turn_step: i64,
}

impl History {
    pub(super) fn of(steps: &[RunStep]) -> Result<Self, serde_json::Error> {
        let mut history = Self {
            step: 1,
            ..Self::default()
        };
        for step in steps {
            match step.kind {
                StepKind::Model => {
                    let body: ModelBody = serde_json::from_str(&step.body)?;
                    history.usage.prompt_tokens += body.usage.prompt_tokens;
                    history.usage.completion_tokens += body.usage.completion_tokens;
                    history.step = step.step + 1;
                    history.asked(body.turn);
                }
                StepKind::Tool => {
                    history.step = step.step + 1;
                    history.answered(serde_json::from_str(&step.body)?);
                }
                StepKind::Start | StepKind::End => history.step = step.step + 1,
            }
        }
        Ok(history)
    }

    /// A turn with tool calls was committed as the step before the next.
    pub(super) fn asked(&mut self, turn: ModelTurn) {
        self.turn_step = self.step - 1;
        self.model_calls += 1;
        self.exchanges.push(Exchange {
            turn,
            outcomes: Vec::new(),
        });
    }

    /// A tool's outcome was committed.
    pub(super) fn answered(&mut self, outcome: ToolBody) {
        if let Some(exchange) = self.exchanges.last_mut() {
            exchange.outcomes.push(outcome);
        }
    }

    /// The next call of the last turn that has no outcome yet, and which of the turn's calls it is.
    pub(super) fn pending(&self) -> Option<(i64, ToolCall)> {
        let exchange = self.exchanges.last()?;
        let ordinal = exchange.outcomes.len();
        let call = exchange.turn.tool_calls.get(ordinal)?;
        Some((i64::try_from(ordinal).ok()?, call.clone()))
    }
}
