//! What a run did so far: read back from its committed steps, then kept up while it goes on.

use lingxi_domain::run::{ModelTurn, ToolCall, Usage};
use lingxi_store::{RunStep, StepKind};

use crate::ledger::{ModelBody, ToolBody};

/// A turn of the model and what its calls came to, as far as they were done.
#[derive(Debug)]
pub(super) struct Exchange {
    /// The step of the turn: what the idempotency keys of its calls are made of.
    step: i64,
    pub(super) turn: ModelTurn,
    pub(super) outcomes: Vec<ToolBody>,
}

/// A tool call that has no outcome yet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pending {
    /// The step of the turn that asked for it.
    pub(super) step: i64,
    /// Which of that turn's calls it is, from 0.
    pub(super) ordinal: i64,
    pub(super) call: ToolCall,
}

/// Everything before the next model call.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) exchanges: Vec<Exchange>,
    pub(super) usage: Usage,
}

impl History {
    pub(super) fn of(steps: &[RunStep]) -> Result<Self, serde_json::Error> {
        let mut history = Self::default();
        for step in steps {
            match step.kind {
                StepKind::Model => {
                    let body: ModelBody = serde_json::from_str(&step.body)?;
                    history.used(body.usage);
                    history.asked(step.step, body.turn);
                }
                StepKind::Tool => history.answered(serde_json::from_str(&step.body)?),
                StepKind::Start | StepKind::End => {}
            }
        }
        Ok(history)
    }

    /// A turn of the model cost this.
    pub(super) fn used(&mut self, usage: Usage) {
        let all = &mut self.usage;
        // A provider's counts are whatever it says.
        all.prompt_tokens = all.prompt_tokens.saturating_add(usage.prompt_tokens);
        all.completion_tokens = all
            .completion_tokens
            .saturating_add(usage.completion_tokens);
    }

    /// A turn with tool calls was committed as `step`.
    pub(super) fn asked(&mut self, step: i64, turn: ModelTurn) {
        self.exchanges.push(Exchange {
            step,
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

    /// The next call of the last turn that has no outcome yet.
    pub(super) fn pending(&self) -> Option<Pending> {
        let exchange = self.exchanges.last()?;
        let ordinal = exchange.outcomes.len();
        let call = exchange.turn.tool_calls.get(ordinal)?.clone();
        Some(Pending {
            step: exchange.step,
            ordinal: i64::try_from(ordinal).ok()?,
            call,
        })
    }
}
