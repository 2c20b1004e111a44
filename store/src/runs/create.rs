//! Accepting a question.

use lingxi_domain::event_id::EventId;
use lingxi_domain::replay::StampedEvent;
use lingxi_domain::run::{RunEvent, RunKind};
use lingxi_domain::{UserId, now_ms};

use super::steps::{NewStep, StepKind};
use super::{COLUMNS, Run, run};
use crate::Store;
use crate::error::{Error, Result};
use crate::sql::args;

/// How long a new run is left to its first delivery before it is published again, in milliseconds.
const FIRST_DELIVERY_MS: i64 = 5_000;

/// A question to the assistant.
#[derive(Clone, Debug)]
pub struct NewRun<'a> {
    /// An id that was never used.
    pub id: &'a str,
    /// Who asks.
    pub user_id: UserId,
    /// What kind of answer is wanted.
    pub kind: RunKind,
    /// The work queue it goes to.
    pub lane: &'a str,
    /// The conversation that the answer goes to.
    pub conversation: Option<&'a str>,
    /// The question.
    pub input: &'a str,
    /// The asker's name for this question: the same one is the same run.
    pub idempotency_key: Option<&'a str>,
    /// How long it may take from now, in milliseconds.
    pub deadline_ms: i64,
}

/// What became of a question.
#[derive(Clone, Debug, PartialEq)]
pub enum CreatedRun {
    /// A new run, committed: it is not lost any more.
    New(Run),
    /// The run that the same key and question made before.
    Existing(Run),
    /// The key was used for another question.
    Conflict,
    /// The asker has as many unfinished runs as they may have.
    TooMany,
}

impl Store {
    /// Commits a question as a queued run with its first event, which names it.
    pub async fn create_run(&self, new: &NewRun<'_>) -> Result<CreatedRun> {
        self.create_run_within(new, None).await
    }

    /// The same, unless the asker has `at_once` unfinished runs already: counted in the transaction that adds one, so that
    /// however many are asked for at one moment, there is never one more.
    pub async fn create_run_within(
        &self,
        new: &NewRun<'_>,
        at_once: Option<u32>,
    ) -> Result<CreatedRun> {
        if let Some(known) = self.repeated_run(new).await? {
            return Ok(known);
        }
        match self.retried(|| self.insert_run(new, at_once)).await {
            Ok(Some(run)) => Ok(CreatedRun::New(run)),
            // Two with the same key at once may have met at the last place.
            Ok(None) => Ok(self.repeated_run(new).await?.unwrap_or(CreatedRun::TooMany)),
            // Asked twice at the same moment: the other one was first.
            Err(Error::Constraint("runs_idempotency_key")) => {
                let known = self.repeated_run(new).await?;
                known.ok_or_else(|| Error::Corrupt("an idempotency key without a run".into()))
            }
            Err(error) => Err(error),
        }
    }

    /// What the same key has made before; nothing where there is no key, or it is new.
    pub async fn repeated_run(&self, new: &NewRun<'_>) -> Result<Option<CreatedRun>> {
        let Some(key) = new.idempotency_key else {
            return Ok(None);
        };
        let sql = format!("SELECT {COLUMNS} FROM runs WHERE user_id = ? AND idempotency_key = ?");
        let row = self
            .reader()
            .await?
            .fetch_one(sql, args![new.user_id, key])
            .await?;
        let Some(known) = row.as_ref().map(run).transpose()? else {
            return Ok(None);
        };
        let same = known.kind == new.kind && known.input == new.input;
        Ok(Some(if same {
            CreatedRun::Existing(known)
        } else {
            CreatedRun::Conflict
        }))
    }

    async fn insert_run(&self, new: &NewRun<'_>, at_once: Option<u32>) -> Result<Option<Run>> {
        let mut tx = self.begin().await?;
        if let Some(at_once) = at_once
            && tx.unfinished_runs(new.user_id).await? >= i64::from(at_once)
        {
            return Ok(None);
        }
        let now = tx.dialect().now_ms();
        let sql = format!(
            "INSERT INTO runs (id, user_id, kind, lane, conversation, input, idempotency_key, state, generation, \
             lease_expires_at, deadline_at, created_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, 'queued', 1, {now} + ?, {now} + ?, ?)"
        );
        let values = args![
            new.id,
            new.user_id,
            new.kind.as_str(),
            new.lane,
            new.conversation,
            new.input,
            new.idempotency_key,
            FIRST_DELIVERY_MS,
            new.deadline_ms,
            now_ms(),
        ];
        tx.conn.execute(sql, values).await?;
        let named = RunEvent::Run {
            run_id: new.id.to_owned(),
        };
        let id = EventId {
            generation: 1,
            position: named.units(),
        };
        let events = [StampedEvent { id, event: named }];
        let start = NewStep {
            step: 0,
            kind: StepKind::Start,
            generation: 1,
            position: 1,
            body: "{}",
            events: &events,
        };
        tx.insert_run_step(new.id, &start).await?;
        let run = tx.run_for_update(new.id).await?;
        tx.commit().await?;
        let run =
            run.ok_or_else(|| Error::Corrupt("a run that was just made is not there".into()))?;
        Ok(Some(run))
    }
}
