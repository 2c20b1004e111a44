//! What a run does next. Pure: no I/O, no clock, no runtime.

use lingxi_domain::ErrorCode;
use lingxi_domain::run::{ModelTurn, RunKind, ToolCall, ToolOutcome, Usage};
use lingxi_store::{Run, RunStep};

use super::history::{History, Pending};
use super::prompt;
use crate::ledger::{Closing, Overflow, ToolBody};
use crate::providers::{ModelRequest, ToolSpec};

/// What holds for every run of a worker.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    /// Replaces the built-in text.
    pub(super) system_prompt: Option<&'a str>,
    /// The most model calls in one answer.
    pub(super) max_steps: u32,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Todo {
    /// Ask the model; [`Came::Turn`] or [`Came::Ended`] follows.
    Ask(ModelRequest),
    /// Call a tool; [`Came::Outcome`] or [`Came::Ended`] follows.
    Call(Pending),
    /// Commit the model's turn; [`Came::Committed`] follows.
    CommitTurn { turn: ModelTurn, usage: Usage },
    /// Commit what a call came to; [`Came::Committed`] or [`Came::Ended`] follows.
    CommitOutcome {
        call: ToolCall,
        outcome: ToolOutcome,
    },
    /// End the run. Nothing follows.
    Close { closing: Closing, usage: Usage },
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Came {
    /// The model has spoken.
    Turn(Turn),
    /// A tool has answered the call that was pending.
    Outcome(ToolOutcome),
    /// What was to be committed is, as this step.
    Committed(Option<i64>),
    /// The run is to end: its deadline passed, its asker is gone, its provider failed, it said too much.
    Ended(Ending),
}

/// A finished turn of the model.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Turn {
    pub(super) turn: ModelTurn,
    pub(super) usage: Usage,
    pub(super) finish_reason: String,
}

/// Why a run ends with an error that its asker sees.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ending {
    pub(super) code: ErrorCode,
    pub(super) message: String,
}

impl From<ErrorCode> for Ending {
    fn from(code: ErrorCode) -> Self {
        Self {
            code,
            message: code.message().to_owned(),
        }
    }
}

impl From<Overflow> for Ending {
    fn from(overflow: Overflow) -> Self {
        Self {
            code: ErrorCode::ProviderError,
            message: format!("The run was ended: {overflow}; ask for less at once."),
        }
    }
}

/// A run between two things to do.
pub(super) struct Machine<'a> {
    run: &'a Run,
    rules: Rules<'a>,
    tools: &'a [ToolSpec],
    history: History,
    /// What came and is not committed yet.
    due: Option<Due>,
    closing: Option<Closing>,
}

enum Due {
    Turn(ModelTurn, Usage),
    Outcome(ToolCall, ToolOutcome),
}

impl<'a> Machine<'a> {
    /// Goes on behind `steps`. `tools` are those that an agent may use.
    pub(super) fn resume(
        run: &'a Run,
        steps: &[RunStep],
        rules: Rules<'a>,
        tools: &'a [ToolSpec],
    ) -> Result<Self, serde_json::Error> {
        Ok(Self {
            run,
            rules,
            tools,
            history: History::of(steps)?,
            due: None,
            closing: None,
        })
    }

    /// What is to be done now; the same until something comes.
    pub(super) fn next(&self) -> Todo {
        let usage = self.history.usage;
        if let Some(closing) = self.closing.clone() {
            return Todo::Close { closing, usage };
        }
        match &self.due {
            Some(Due::Turn(turn, usage)) => {
                return Todo::CommitTurn {
                    turn: turn.clone(),
                    usage: *usage,
                };
            }
            Some(Due::Outcome(call, outcome)) => {
                return Todo::CommitOutcome {
                    call: call.clone(),
                    outcome: outcome.clone(),
                };
            }
            None => {}
        }
        match self.history.pending() {
            Some(pending) => Todo::Call(pending),
            None => Todo::Ask(self.request()),
        }
    }

    /// Something came.
    pub(super) fn take(&mut self, came: Came) {
        match came {
            Came::Turn(turn) => self.spoken(turn),
            Came::Outcome(outcome) => {
                let pending = self.history.pending();
                self.due = pending.map(|pending| Due::Outcome(pending.call, outcome));
            }
            Came::Committed(step) => match self.due.take() {
                Some(Due::Turn(turn, _)) => self.history.asked(step.unwrap_or_default(), turn),
                Some(Due::Outcome(call, outcome)) => self.history.answered(ToolBody {
                    call_id: call.id,
                    outcome,
                }),
                None => {}
            },
            Came::Ended(Ending { code, message }) => {
                self.due = None;
                self.closing = Some(Closing::Failed { code, message });
            }
        }
    }

    fn spoken(&mut self, spoken: Turn) {
        self.history.used(spoken.usage);
        if spoken.turn.tool_calls.is_empty() || !self.may_call() {
            self.closing = Some(Closing::Answered {
                text: spoken.turn.text,
                finish_reason: spoken.finish_reason,
            });
        } else {
            self.due = Some(Due::Turn(spoken.turn, spoken.usage));
        }
    }

    /// The last call that is allowed has no tools, so that it can only answer.
    fn may_call(&self) -> bool {
        let calls = u32::try_from(self.history.exchanges.len()).unwrap_or(u32::MAX);
        self.run.kind == RunKind::Agent && calls.saturating_add(1) < self.rules.max_steps
    }

    fn request(&self) -> ModelRequest {
        let tools = if self.may_call() {
            self.tools.to_vec()
        } else {
            Vec::new()
        };
        ModelRequest {
            messages: prompt::messages(self.rules.system_prompt, self.run, &self.history),
            tools,
        }
    }
}

#[cfg(test)]
mod tests;
