//! What a run committed, step by step, and its end.

use lingxi_domain::event_id::EventId;
use lingxi_domain::replay::StampedEvent;
use lingxi_domain::run::{RunEvent, RunState, Usage};
use lingxi_domain::{ErrorCode, now_ms};

use crate::error::{Error, Result};
use crate::sql::{Row, args};
use crate::{Store, Tx};

/// What kind of step it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// The run was accepted.
    Start,
    /// A turn of the model that asks for tools.
    Model,
    /// What one tool call came to.
    Tool,
    /// The end, with the last turn of the model.
    End,
}

impl StepKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Model => "model",
            Self::Tool => "tool",
            Self::End => "end",
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let all = [Self::Start, Self::Model, Self::Tool, Self::End];
        let found = all.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| Error::Corrupt(format!("a step of kind {text:?}")))
    }
}

/// A step to commit.
#[derive(Clone, Debug)]
pub struct NewStep<'a> {
    /// Its number, rising within the run.
    pub step: i64,
    /// What it is.
    pub kind: StepKind,
    /// The generation of the ids of events made now.
    pub generation: u32,
    /// Where the stream stands behind it.
    pub position: u32,
    /// JSON that the workers understand: the model's turn or the tool's outcome.
    pub body: &'a str,
    /// What clients see of it.
    pub events: &'a [StampedEvent],
}

/// A committed step.
#[derive(Clone, Debug, PartialEq)]
pub struct RunStep {
    /// Its number.
    pub step: i64,
    /// What it is.
    pub kind: StepKind,
    /// The generation under which it was committed.
    pub generation: u32,
    /// Where the stream stood behind it.
    pub position: u32,
    /// JSON that the workers understand.
    pub body: String,
    /// What clients see of it.
    pub events: Vec<StampedEvent>,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct FinishedRun<'a> {
    /// `Done`, `Failed` or `Stopped`.
    pub state: RunState,
    /// The answer, or what there was of it.
    pub answer: &'a str,
    /// What the whole run cost.
    pub usage: Usage,
    /// Why it failed.
    pub error: Option<(ErrorCode, &'a str)>,
    /// The last step, with the events up to the terminal one.
    pub last: NewStep<'a>,
}

fn step(row: &Row) -> Result<RunStep> {
    let corrupt = |e: &dyn std::fmt::Display| Error::Corrupt(format!("a run's step: {e}"));
    let half = |n: i64| u32::try_from(n).map_err(|e| corrupt(&e));
    let events: Vec<(i64, RunEvent)> =
        serde_json::from_str(&row.text(5)?).map_err(|e| corrupt(&e))?;
    let stamped = events.into_iter().map(|(id, event)| {
        let id = EventId::from_i64(id).ok_or_else(|| corrupt(&"an event id that is none"))?;
        Ok(StampedEvent { id, event })
    });
    Ok(RunStep {
        step: row.int(0)?,
        kind: StepKind::parse(&row.text(1)?)?,
        generation: half(row.int(2)?)?,
        position: half(row.int(3)?)?,
        body: row.text(4)?,
        events: stamped.collect::<Result<_>>()?,
    })
}

const SELECT_STEPS: &str = "SELECT step, kind, generation, position, body, events FROM run_steps WHERE run_id = ? ORDER BY step";

impl Store {
    /// What a run committed so far, in order.
    pub async fn run_steps(&self, id: &str) -> Result<Vec<RunStep>> {
        self.reader()
            .await?
            .fetch(SELECT_STEPS, args![id])
            .await?
            .iter()
            .map(step)
            .collect()
    }

    /// Commits a step of a run that is held under `attempt`.
    ///
    /// # Errors
    /// [`Error::Fenced`] when it no longer is: nothing was written.
    pub async fn commit_step(&self, id: &str, attempt: i64, step: &NewStep<'_>) -> Result<()> {
        self.retried(|| self.commit_step_once(id, attempt, step))
            .await
    }

    async fn commit_step_once(&self, id: &str, attempt: i64, step: &NewStep<'_>) -> Result<()> {
        let mut tx = self.begin().await?;
        let sql =
            "UPDATE runs SET generation = ? WHERE id = ? AND attempt = ? AND state = 'running'";
        if tx
            .conn
            .execute(sql, args![step.generation, id, attempt])
            .await?
            == 0
        {
            return Err(Error::Fenced);
        }
        tx.insert_run_step(id, step).await?;
        tx.commit().await
    }

    /// Ends a run that is held under `attempt`: its row and its last step in one transaction.
    ///
    /// # Errors
    /// [`Error::Fenced`] when it no longer is held, or has ended: nothing was written.
    pub async fn finish_run(&self, id: &str, attempt: i64, end: &FinishedRun<'_>) -> Result<()> {
        self.retried(|| self.finish_run_once(id, attempt, end))
            .await
    }

    async fn finish_run_once(&self, id: &str, attempt: i64, end: &FinishedRun<'_>) -> Result<()> {
        let mut tx = self.begin().await?;
        if !tx.end_run(id, attempt, "running", end).await? {
            return Err(Error::Fenced);
        }
        tx.commit().await
    }
}

impl Tx {
    pub(super) async fn run_steps(&mut self, id: &str) -> Result<Vec<RunStep>> {
        self.conn
            .fetch(SELECT_STEPS, args![id])
            .await?
            .iter()
            .map(step)
            .collect()
    }

    pub(super) async fn insert_run_step(&mut self, id: &str, step: &NewStep<'_>) -> Result<()> {
        let events: Vec<_> = step
            .events
            .iter()
            .map(|e| (e.id.to_i64(), &e.event))
            .collect();
        let events = serde_json::to_string(&events).map_err(|e| Error::Corrupt(e.to_string()))?;
        let sql = "INSERT INTO run_steps (run_id, step, kind, generation, position, body, events, created_at) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
        let (generation, position) = (step.generation, step.position);
        let values = args![
            id,
            step.step,
            step.kind.as_str(),
            generation,
            position,
            step.body,
            events,
            now_ms()
        ];
        self.conn.execute(sql, values).await?;
        Ok(())
    }

    /// Ends a run by compare-and-swap on its state and attempt; answers whether it did.
    pub(super) async fn end_run(
        &mut self,
        id: &str,
        attempt: i64,
        from: &str,
        end: &FinishedRun<'_>,
    ) -> Result<bool> {
        let sql = "UPDATE runs SET state = ?, generation = ?, answer = ?, prompt_tokens = ?, completion_tokens = ?, \
                   error_code = ?, error_message = ?, worker = NULL, finished_at = ? \
                   WHERE id = ? AND attempt = ? AND state = ? AND finished_at IS NULL";
        let values = args![
            end.state.as_str(),
            end.last.generation,
            end.answer,
            end.usage.prompt_tokens,
            end.usage.completion_tokens,
            end.error.map(|(code, _)| code.as_str()),
            end.error.map(|(_, message)| message),
            now_ms(),
            id,
            attempt,
            from,
        ];
        if self.conn.execute(sql, values).await? == 0 {
            return Ok(false);
        }
        self.insert_run_step(id, &end.last).await?;
        Ok(true)
    }
}
