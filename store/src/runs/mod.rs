//! Runs of the assistant: who asked what, which worker holds them, what they committed, how they ended.
//!
//! Everything that a worker writes for a run is fenced by the run's `attempt`, which rises with every claim: whoever
//! lost the run gets [`Error::Fenced`] and changes nothing.

mod claim;
mod create;
mod effects;
mod prune;
mod steps;
mod sweep;
mod waiting;

use lingxi_domain::run::{RunKind, RunState, Usage};
use lingxi_domain::{ErrorCode, UserId};

use crate::Store;
use crate::error::{Error, Result};
use crate::sql::{Row, args};

pub use claim::{Claim, ClaimedRun, HeldRun, Released};
pub use create::{CreatedRun, NewRun};
pub use effects::Effect;
pub use steps::{FinishedRun, NewStep, RunStep, StepKind};
pub use sweep::SweptRun;

/// Attempts that may end without an outcome before the run is given up, visibly.
pub const MAX_FAILURES: i64 = 5;

/// How long a worker's claim holds without being renewed, in milliseconds.
pub const RUN_LEASE_MS: i64 = 5_000;

/// A run's row.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Its id, made by whoever created it.
    pub id: String,
    /// Who asked.
    pub user_id: UserId,
    /// What kind of answer was asked for.
    pub kind: RunKind,
    /// The work queue it goes to, as the bus names it.
    pub lane: String,
    /// The conversation that the answer goes to, for a question asked in a chat.
    pub conversation: Option<String>,
    /// The question.
    pub input: String,
    /// Where it is in its life.
    pub state: RunState,
    /// Rises with every claim: the fence.
    pub attempt: i64,
    /// Attempts that ended without an outcome.
    pub failures: i64,
    /// The high half of the ids of the events that are made now.
    pub generation: u32,
    /// When it is ended if it has no answer by then, by the database's clock.
    pub deadline_at: i64,
    /// When its asker wanted it stopped.
    pub stop_requested_at: Option<i64>,
    /// Why it failed.
    pub error: Option<(ErrorCode, String)>,
    /// The answer, or what there was of it.
    pub answer: Option<String>,
    /// What it cost.
    pub usage: Usage,
    /// When it was created.
    pub created_at: i64,
    /// When it ended.
    pub finished_at: Option<i64>,
}

const COLUMNS: &str = "id, user_id, kind, lane, conversation, input, state, attempt, failures, generation, \
     deadline_at, stop_requested_at, error_code, error_message, answer, prompt_tokens, completion_tokens, \
     created_at, finished_at";

fn run(row: &Row) -> Result<Run> {
    let kind = row.text(2)?;
    let code = row
        .opt_text(12)?
        .map(|code| code.parse().unwrap_or(ErrorCode::Internal));
    let message = row.opt_text(13)?.unwrap_or_default();
    Ok(Run {
        id: row.text(0)?,
        user_id: row.int(1)?,
        kind: RunKind::parse(&kind)
            .ok_or_else(|| Error::Corrupt(format!("a run of kind {kind:?}")))?,
        lane: row.text(3)?,
        conversation: row.opt_text(4)?,
        input: row.text(5)?,
        state: RunState::parse(&row.text(6)?),
        attempt: row.int(7)?,
        failures: row.int(8)?,
        generation: u32::try_from(row.int(9)?).map_err(|e| Error::Corrupt(e.to_string()))?,
        deadline_at: row.int(10)?,
        stop_requested_at: row.opt_int(11)?,
        error: code.map(|code| (code, message)),
        answer: row.opt_text(14)?,
        usage: Usage {
            prompt_tokens: row.int(15)?,
            completion_tokens: row.int(16)?,
        },
        created_at: row.int(17)?,
        finished_at: row.opt_int(18)?,
    })
}

impl Store {
    /// A run, whoever asked for it.
    pub async fn run(&self, id: &str) -> Result<Option<Run>> {
        let sql = format!("SELECT {COLUMNS} FROM runs WHERE id = ?");
        let row = self.reader().await?.fetch_one(sql, args![id]).await?;
        row.as_ref().map(run).transpose()
    }
}

impl crate::Tx {
    async fn run_for_update(&mut self, id: &str) -> Result<Option<Run>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM runs WHERE id = ?{}",
            self.dialect().for_update()
        );
        let row = self.conn.fetch_one(sql, args![id]).await?;
        row.as_ref().map(run).transpose()
    }
}
