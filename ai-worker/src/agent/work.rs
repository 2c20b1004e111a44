//! Doing what the machine says.

use std::time::Duration;

use lingxi_domain::ErrorCode;
use lingxi_domain::run::RunState;
use lingxi_im::{Actor, Im};
use lingxi_store::{ClaimedRun, Effect, Run};
use tokio::time::Instant;

use super::history::Pending;
use super::machine::{Came, Ending, Machine, Rules, Todo};
use super::turn;
use crate::ledger::{Ledger, Live};
use crate::providers::Models;
use crate::tools::{Context, Given, Toolbox};

/// What every run of a worker shares.
pub(crate) struct Settings {
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
    /// Something that it needs is not available: not its failure.
    #[error("{0}")]
    Away(String),
    /// Something of ours failed; another attempt may succeed.
    #[error("{0}")]
    Failed(String),
}

impl From<lingxi_store::Error> for Abandoned {
    fn from(error: lingxi_store::Error) -> Self {
        match error {
            lingxi_store::Error::Fenced => Self::Lost,
            lingxi_store::Error::Unavailable(outage) => Self::Away(outage.to_string()),
            other => Self::Failed(other.to_string()),
        }
    }
}

/// Works on a claimed run until it has its end, and returns which.
pub(crate) async fn work(
    settings: &Settings,
    models: &dyn Models,
    claimed: &ClaimedRun,
    mut ledger: Ledger,
) -> Result<RunState, Abandoned> {
    let left = Duration::from_millis(u64::try_from(claimed.remaining_ms).unwrap_or(0));
    let deadline = Instant::now() + left;
    let run = &claimed.run;
    let rules = Rules {
        system_prompt: settings.system_prompt.as_deref(),
        max_steps: settings.max_steps,
    };
    let tools = settings.tools.specs();
    let mut machine = Machine::resume(run, &claimed.steps, rules, &tools)
        .map_err(|error| Abandoned::Failed(error.to_string()))?;
    let asker = asker(settings, run).await?;
    if asker.is_none() {
        machine.take(Came::Ended(Ending {
            code: ErrorCode::Unauthorized,
            message: "The account that asked is gone.".to_owned(),
        }));
    }
    loop {
        let came = match (machine.next(), &asker) {
            (Todo::Close { closing, usage }, _) => return Ok(ledger.close(closing, usage).await?),
            (Todo::Ask(request), _) => {
                match turn::stream(models, &request, &ledger, deadline).await {
                    Ok(turn) => Came::Turn(turn),
                    Err(ending) => Came::Ended(ending),
                }
            }
            (Todo::Call(pending), Some(asker)) => {
                call(settings, run, asker, &ledger, pending, deadline).await?
            }
            (Todo::Call(_), None) => Came::Ended(ErrorCode::Unauthorized.into()),
            (Todo::CommitTurn { turn, usage }, _) => {
                Came::Committed(Some(ledger.turn(&turn, usage).await?))
            }
            (Todo::CommitOutcome { call, outcome }, _) => {
                match ledger.outcome(&call.name, &call.id, &outcome).await? {
                    Ok(()) => Came::Committed(None),
                    Err(overflow) => Came::Ended(overflow.into()),
                }
            }
        };
        machine.take(came);
    }
}

/// Who asked; nobody when the account is gone.
async fn asker(settings: &Settings, run: &Run) -> Result<Option<Actor>, Abandoned> {
    let profile = settings.im.accounts().profile(run.user_id).await;
    let profile = profile.map_err(|error| match error.code() {
        ErrorCode::Unavailable => Abandoned::Away(error.to_string()),
        _ => Abandoned::Failed(error.to_string()),
    })?;
    Ok(profile.map(|profile| Actor::new(run.user_id, profile.username)))
}

async fn call(
    settings: &Settings,
    run: &Run,
    asker: &Actor,
    ledger: &Ledger,
    pending: Pending,
    deadline: Instant,
) -> Result<Came, Abandoned> {
    if Instant::now() >= deadline {
        return Ok(Came::Ended(ErrorCode::Timeout.into()));
    }
    let Pending {
        step,
        ordinal,
        call,
    } = pending;
    let said = ledger.say(Live::ToolCall {
        name: call.name.clone(),
        args: call.args.clone(),
    });
    if let Err(overflow) = said {
        return Ok(Came::Ended(overflow.into()));
    }
    let effect = Effect {
        run_id: run.id.clone(),
        step,
        ordinal,
        attempt: run.attempt,
    };
    let context = Context {
        im: &settings.im,
        asker: &asker.clone().for_effect(effect),
        deadline,
    };
    match settings.tools.call(&call.name, &call.args, &context).await {
        Given::Outcome(outcome) => Ok(Came::Outcome(outcome)),
        Given::Late => Ok(Came::Ended(ErrorCode::Timeout.into())),
        Given::Lost => Err(Abandoned::Lost),
        Given::Away => Err(Abandoned::Away(format!(
            "a tool ({}) lacks what it needs",
            call.name
        ))),
        Given::Unknown => Err(Abandoned::Failed(format!(
            "the outcome of a tool call ({}) is not known",
            call.name
        ))),
    }
}
