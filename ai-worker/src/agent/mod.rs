//! The life of one run at its worker: ask the model, commit its turn, do what it asked for, commit that, ask again.
//!
//! Everything is committed under the run's attempt, so a worker that lost the run changes nothing any more; and a
//! worker that takes it over goes on behind the last committed step.

mod history;
mod prompt;
mod turn;

use std::sync::Arc;
use std::time::Duration;

use lingxi_domain::run::{ModelTurn, RunEvent, RunState, ToolCall, ToolOutcome, Usage};
use lingxi_domain::{ErrorCode, replay::StampedEvent};
use lingxi_im::{Actor, Im};
use lingxi_store::{ClaimedRun, Effect, FinishedRun, NewStep, Run, StepKind, Store};
use tokio::time::Instant;

use self::history::{History, ModelBody, ToolBody};
use crate::providers::{ModelRequest, Provider};
use crate::run_log::{Overflow, RunLog};
use crate::tools::{Refusal, Toolbox};

/// How often a tool call whose outcome is not known is tried again; its key makes that harmless.
const TOOL_ATTEMPTS: u32 = 4;
const TOOL_PAUSE: Duration = Duration::from_millis(250);

/// What every run of a worker shares.
pub(crate) struct Settings {
    pub(crate) store: Store,
    pub(crate) im: Im,
    pub(crate) tools: Toolbox,
    pub(crate) system_prompt: Option<String>,
    /// The most model calls in one answer.
    pub(crate) max_steps: u32,
}

/// Why a run ended here without an end of its own.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Abandoned {
    /// Another worker has it.
    #[error("another worker took it over")]
    Lost,
    /// Something of ours failed; another attempt may succeed.
    #[error("{0}")]
    Failed(String),
}

impl From<lingxi_store::Error> for Abandoned {
    fn from(error: lingxi_store::Error) -> Self {
        match error {
            lingxi_store::Error::Fenced => Self::Lost,
            other => Self::Failed(other.to_string()),
        }
    }
}

/// Why a run ends with an error that its asker sees.
#[derive(Debug)]
struct Ending {
    code: ErrorCode,
    message: String,
}

impl Ending {
    fn new(code: ErrorCode) -> Self {
        Self {
            code,
            message: code.message().to_owned(),
        }
    }
}

enum Outcome {
    Answered {
        turn: ModelTurn,
        finish_reason: String,
    },
    Ended(Ending),
}

impl From<Overflow> for Ending {
    fn from(overflow: Overflow) -> Self {
        let message = format!("The run was ended: {overflow}; ask for less at once.");
        Self {
            code: ErrorCode::ProviderError,
            message,
        }
    }
}

/// A run in execution.
pub(crate) struct Agent<'a> {
    settings: &'a Settings,
    provider: Arc<dyn Provider>,
    log: &'a RunLog,
    run: &'a Run,
    deadline: Instant,
    history: History,
}

impl<'a> Agent<'a> {
    /// Goes on where `claimed` stands.
    pub(crate) fn new(
        settings: &'a Settings,
        provider: Arc<dyn Provider>,
        log: &'a RunLog,
        claimed: &'a ClaimedRun,
    ) -> Result<Self, Abandoned> {
        let left = Duration::from_millis(u64::try_from(claimed.remaining_ms).unwrap_or(0));
        let history = History::of(&claimed.steps).map_err(|e| Abandoned::Failed(e.to_string()))?;
        let deadline = Instant::now() + left;
        Ok(Self {
            settings,
            provider,
            log,
            run: &claimed.run,
            deadline,
            history,
        })
    }

    /// Works until the run has its end, and answers which.
    pub(crate) async fn execute(mut self) -> Result<RunState, Abandoned> {
        let outcome = self.work().await?;
        self.finish(outcome).await
    }

    async fn work(&mut self) -> Result<Outcome, Abandoned> {
        let Some(profile) = self
            .settings
            .im
            .accounts()
            .profile(self.run.user_id)
            .await
            .map_err(unknown)?
        else {
            let message = "The account that asked is gone.".to_owned();
            return Ok(Outcome::Ended(Ending {
                code: ErrorCode::Unauthorized,
                message,
            }));
        };
        let actor = Actor::new(self.run.user_id, profile.username);
        loop {
            while let Some((ordinal, call)) = self.history.pending() {
                if Instant::now() >= self.deadline {
                    return Ok(Outcome::Ended(Ending::new(ErrorCode::Timeout)));
                }
                if let Err(ending) = self.call_tool(&actor, ordinal, call).await? {
                    return Ok(Outcome::Ended(ending));
                }
            }
            let request = self.request();
            let last = request.tools.is_empty();
            let turn = match turn::stream(&*self.provider, &request, self.log, self.deadline).await
            {
                Ok(turn) => turn,
                Err(ending) => return Ok(Outcome::Ended(ending)),
            };
            self.history.usage.prompt_tokens += turn.usage.prompt_tokens;
            self.history.usage.completion_tokens += turn.usage.completion_tokens;
            if turn.turn.tool_calls.is_empty() || last {
                return Ok(Outcome::Answered {
                    turn: turn.turn,
                    finish_reason: turn.finish_reason,
                });
            }
            self.commit_turn(turn.turn, turn.usage).await?;
        }
    }

    fn request(&self) -> ModelRequest {
        let agent = self.run.kind == lingxi_domain::run::RunKind::Agent;
        // The last call that is allowed has no tools, so that it can only answer.
        let tools = agent && self.history.model_calls + 1 < self.settings.max_steps;
        let messages = prompt::messages(
            self.settings.system_prompt.as_deref(),
            self.run,
            &self.history,
        );
        ModelRequest {
            messages,
            tools: if tools {
                self.settings.tools.specs()
            } else {
                Vec::new()
            },
        }
    }

    async fn commit_turn(&mut self, turn: ModelTurn, usage: Usage) -> Result<(), Abandoned> {
        let body = ModelBody { turn, usage };
        let events = self.log.uncommitted(None);
        self.commit(StepKind::Model, &encode(&body)?, &events)
            .await?;
        self.log.commit();
        self.history.asked(body.turn);
        Ok(())
    }

    async fn call_tool(
        &mut self,
        actor: &Actor,
        ordinal: i64,
        call: ToolCall,
    ) -> Result<Result<(), Ending>, Abandoned> {
        let event = RunEvent::ToolCall {
            name: call.name.clone(),
            args: call.args.clone(),
        };
        if let Err(overflow) = self.log.push(event) {
            return Ok(Err(overflow.into()));
        }
        let (run_id, step) = (self.run.id.clone(), self.history.turn_step);
        let actor = actor.clone().for_effect(Effect {
            run_id,
            step,
            ordinal,
            attempt: self.run.attempt,
        });
        let outcome = self.effect(&actor, &call).await?;
        let event = RunEvent::ToolResult {
            name: call.name.clone(),
            result: outcome.result.clone(),
            success: outcome.success,
        };
        let body = ToolBody {
            call_id: call.id,
            outcome,
        };
        let events = self.log.uncommitted(Some(event.clone()));
        self.commit(StepKind::Tool, &encode(&body)?, &events)
            .await?;
        if let Err(overflow) = self.log.push(event) {
            return Ok(Err(overflow.into()));
        }
        self.log.commit();
        self.history.answered(body);
        Ok(Ok(()))
    }

    async fn effect(&self, actor: &Actor, call: &ToolCall) -> Result<ToolOutcome, Abandoned> {
        let tools = &self.settings.tools;
        for attempt in 1.. {
            match tools
                .execute(&call.name, &call.args, &self.settings.im, actor)
                .await
            {
                Ok(outcome) => return Ok(outcome),
                Err(Refusal::Lost) => return Err(Abandoned::Lost),
                Err(_) if attempt < TOOL_ATTEMPTS => tokio::time::sleep(TOOL_PAUSE * attempt).await,
                Err(_) => break,
            }
        }
        Err(Abandoned::Failed(format!(
            "the outcome of a tool call ({}) is not known",
            call.name
        )))
    }

    async fn commit(
        &mut self,
        kind: StepKind,
        body: &str,
        events: &[StampedEvent],
    ) -> Result<(), Abandoned> {
        let step = self.step(kind, body, events);
        self.settings
            .store
            .commit_step(&self.run.id, self.run.attempt, &step)
            .await?;
        self.history.step += 1;
        Ok(())
    }

    fn step<'s>(&self, kind: StepKind, body: &'s str, events: &'s [StampedEvent]) -> NewStep<'s> {
        let position = events
            .last()
            .map_or(self.log.position(), |last| last.id.position);
        NewStep {
            step: self.history.step,
            kind,
            generation: self.log.generation(),
            position,
            body,
            events,
        }
    }

    /// The end is committed before anybody hears of it.
    async fn finish(&mut self, outcome: Outcome) -> Result<RunState, Abandoned> {
        let usage = self.history.usage;
        let (state, turn, error, event) = match outcome {
            Outcome::Answered {
                turn,
                finish_reason,
            } => {
                let event = RunEvent::Done {
                    content: String::new(),
                    usage,
                    finish_reason,
                };
                (RunState::Done, turn, None, event)
            }
            Outcome::Ended(ending) => {
                let partial = self
                    .log
                    .uncommitted(None)
                    .into_iter()
                    .filter_map(|stamped| match stamped.event {
                        RunEvent::Chunk { content } => Some(content),
                        _ => None,
                    });
                let turn = ModelTurn {
                    text: partial.collect(),
                    tool_calls: Vec::new(),
                };
                let event = RunEvent::Error {
                    error: ending.code.as_str().into(),
                    message: ending.message.clone(),
                };
                (RunState::Failed, turn, Some(ending), event)
            }
        };
        let events = self.log.uncommitted(Some(event.clone()));
        let answer = turn.text.clone();
        let body = encode(&ModelBody { turn, usage })?;
        let end = FinishedRun {
            state,
            answer: &answer,
            usage,
            error: error
                .as_ref()
                .map(|ending| (ending.code, ending.message.as_str())),
            last: self.step(StepKind::End, &body, &events),
        };
        self.settings
            .store
            .finish_run(&self.run.id, self.run.attempt, &end)
            .await?;
        // Only fails for an event that is not terminal.
        let _ = self.log.push(event);
        Ok(state)
    }
}

fn encode(body: &impl serde::Serialize) -> Result<String, Abandoned> {
    serde_json::to_string(body).map_err(|error| Abandoned::Failed(error.to_string()))
}

fn unknown(error: lingxi_im::Error) -> Abandoned {
    Abandoned::Failed(error.to_string())
}
