//! Runs that nobody works on although they are not finished.

use lingxi_domain::event_id::EventId;
use lingxi_domain::replay::StampedEvent;
use lingxi_domain::run::{RunEvent, RunState};
use lingxi_domain::{ErrorCode, UserId};

use super::steps::{FinishedRun, NewStep, StepKind};
use super::{COLUMNS, MAX_FAILURES, Run, run};
use crate::error::Result;
use crate::sql::args;
use crate::{Store, Tx};

/// How long a run that was published again is left alone, in milliseconds: it may wait for a busy worker.
const REDELIVERY_MS: i64 = 30_000;

/// A run that was found without a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SweptRun {
    /// It waits again: publish it to its lane.
    Requeued {
        /// The run.
        run_id: String,
        /// The work queue, as the bus names it.
        lane: String,
        /// Who asked.
        user_id: UserId,
    },
    /// Too many of its attempts had failed: it was ended with an error that its asker sees.
    GivenUp {
        /// The run.
        run_id: String,
    },
}

/// Whether giving up took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failed {
    Ended,
    LostTheRace,
}

impl Store {
    /// Up to `limit` unfinished runs whose lease has expired, set to be taken by anybody. Of several callers one gets
    /// each run; the same run comes again only when it has waited long, or was taken and lost once more.
    pub async fn requeueable_runs(&self, limit: i64) -> Result<Vec<SweptRun>> {
        let now = self.dialect().now_ms();
        // Mostly there are none: look without the writer first.
        let sql = format!(
            "SELECT 1 FROM runs WHERE finished_at IS NULL AND lease_expires_at < {now} LIMIT 1"
        );
        if self
            .reader()
            .await?
            .fetch_one(sql, args![])
            .await?
            .is_none()
        {
            return Ok(Vec::new());
        }
        self.retried(|| self.requeueable_runs_once(limit)).await
    }

    async fn requeueable_runs_once(&self, limit: i64) -> Result<Vec<SweptRun>> {
        let now = self.dialect().now_ms();
        let mut tx = self.begin().await?;
        // Several sweepers work side by side: each takes what no other has at hand.
        let sql = format!(
            "SELECT {COLUMNS} FROM runs WHERE finished_at IS NULL AND lease_expires_at < {now} \
             ORDER BY lease_expires_at LIMIT ?{}",
            tx.dialect().for_update_skip_locked()
        );
        let rows = tx.conn.fetch(sql, args![limit]).await?;
        let found = rows.iter().map(run).collect::<Result<Vec<_>>>()?;
        let mut swept = Vec::with_capacity(found.len());
        for run in found {
            let failures = run.failures + i64::from(run.state == RunState::Running);
            if failures >= MAX_FAILURES {
                if tx.give_up_run(&run).await? == Failed::Ended {
                    swept.push(SweptRun::GivenUp { run_id: run.id });
                }
                continue;
            }
            let sql = format!(
                "UPDATE runs SET state = 'queued', worker = NULL, failures = ?, lease_expires_at = {now} + ? \
                 WHERE id = ? AND attempt = ? AND state = ?"
            );
            let values = args![
                failures,
                REDELIVERY_MS,
                &run.id,
                run.attempt,
                run.state.as_str()
            ];
            if tx.conn.execute(sql, values).await? > 0 {
                swept.push(SweptRun::Requeued {
                    run_id: run.id,
                    lane: run.lane,
                    user_id: run.user_id,
                });
            }
        }
        tx.commit().await?;
        Ok(swept)
    }
}

impl Tx {
    /// Ends a run that failed too often, with an error event behind what it committed.
    pub(super) async fn give_up_run(&mut self, run: &Run) -> Result<Failed> {
        let steps = self.run_steps(&run.id).await?;
        let (step, position) = steps
            .last()
            .map_or((0, 0), |last| (last.step, last.position));
        let code = ErrorCode::Internal;
        let event = RunEvent::Error {
            error: code.as_str().into(),
            message: code.message().into(),
        };
        // Clients may have seen more of the last attempt than it committed.
        let generation = run.generation + 1;
        let position = position + event.units();
        let events = [StampedEvent {
            id: EventId {
                generation,
                position,
            },
            event,
        }];
        let end = FinishedRun {
            state: RunState::Failed,
            answer: "",
            usage: run.usage,
            error: Some((code, code.message())),
            last: NewStep {
                step: step + 1,
                kind: StepKind::End,
                generation,
                position,
                body: "{}",
                events: &events,
            },
        };
        let ended = self
            .end_run(&run.id, run.attempt, run.state.as_str(), &end)
            .await?;
        Ok(if ended {
            Failed::Ended
        } else {
            Failed::LostTheRace
        })
    }
}
