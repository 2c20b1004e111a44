//! Which worker holds a run.

use lingxi_domain::run::RunState;

use super::steps::RunStep;
use super::sweep::Failed;
use super::{MAX_FAILURES, RUN_LEASE_MS, Run};
use crate::Store;
use crate::error::Result;
use crate::sql::{args, list};

/// What became of an attempt to take a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// It is the caller's.
    Mine(Box<ClaimedRun>),
    /// Another worker holds it.
    Held,
    /// It has ended; also when this call gave it up because too many attempts had failed.
    Finished,
    /// There is no such run.
    Unknown,
}

/// A run as its new worker finds it.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimedRun {
    /// The run, with the attempt and the generation that the worker writes under.
    pub run: Run,
    /// What earlier attempts committed, in order.
    pub steps: Vec<RunStep>,
    /// What is left until its deadline, in milliseconds; negative when it has passed.
    pub remaining_ms: i64,
}

/// A run that its worker still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRun {
    /// The run.
    pub run_id: String,
    /// The attempt that is held.
    pub attempt: i64,
    /// Whether its asker wants it stopped.
    pub stop_requested: bool,
}

/// Why a run is given back before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// Its worker stops: others may take it at once.
    Stopping,
    /// What it needs was not available. However often that happens, it is no failure of the run: its deadline ends it.
    Away,
    /// The attempt failed, which may happen [`MAX_FAILURES`] times.
    Failed,
}

impl Store {
    /// Takes a run that waits, or whose worker let its lease expire. Raises `attempt`, and from the second attempt on
    /// `generation`, since clients may have seen more of the first than it committed.
    pub async fn claim_run(&self, id: &str, worker: &str) -> Result<Claim> {
        self.retried(|| self.claim_run_once(id, worker)).await
    }

    async fn claim_run_once(&self, id: &str, worker: &str) -> Result<Claim> {
        let mut tx = self.begin().await?;
        let Some(found) = tx.run_for_update(id).await? else {
            return Ok(Claim::Unknown);
        };
        if found.state.is_final() {
            return Ok(Claim::Finished);
        }
        let now = tx.dialect().now_ms();
        let free = format!("(state = 'queued' OR lease_expires_at < {now})");
        let sql = format!("SELECT {free}, deadline_at - {now} FROM runs WHERE id = ?");
        let row = tx.conn.fetch_one(sql, args![id]).await?;
        let Some(row) = row else {
            return Ok(Claim::Unknown);
        };
        let remaining_ms = row.int(1)?;
        if row.int(0)? == 0 {
            return Ok(Claim::Held);
        }
        // An attempt that was cut off counts as failed; a worker that gave the run back has set it to queued.
        if found.failures + i64::from(found.state == RunState::Running) >= MAX_FAILURES {
            let outcome = tx.give_up_run(&found).await?;
            tx.commit().await?;
            return Ok(if outcome == Failed::Ended {
                Claim::Finished
            } else {
                Claim::Held
            });
        }
        // MySQL assigns from left to right and reads what it has assigned: `attempt` and `state` are set behind their use.
        let sql = format!(
            "UPDATE runs SET failures = failures + (state = 'running'), generation = generation + (attempt > 0), \
             attempt = attempt + 1, state = 'running', worker = ?, lease_expires_at = {now} + ? \
             WHERE id = ? AND attempt = ? AND finished_at IS NULL AND {free}"
        );
        let taken = tx
            .conn
            .execute(sql, args![worker, RUN_LEASE_MS, id, found.attempt])
            .await?;
        if taken == 0 {
            return Ok(Claim::Held);
        }
        let steps = tx.run_steps(id).await?;
        let run = tx.run_for_update(id).await?.unwrap_or(found);
        tx.commit().await?;
        Ok(Claim::Mine(Box::new(ClaimedRun {
            run,
            steps,
            remaining_ms,
        })))
    }

    /// Keeps these runs (id, attempt) for another lease; answers those that the worker still holds. One that is not
    /// among them is lost: nothing may be done for it any more.
    pub async fn renew_run_leases(
        &self,
        worker: &str,
        runs: &[(String, i64)],
    ) -> Result<Vec<HeldRun>> {
        if runs.is_empty() {
            return Ok(Vec::new());
        }
        self.retried(|| self.renew_run_leases_once(worker, runs))
            .await
    }

    async fn renew_run_leases_once(
        &self,
        worker: &str,
        runs: &[(String, i64)],
    ) -> Result<Vec<HeldRun>> {
        let mut held = Vec::with_capacity(runs.len());
        let mut tx = self.begin().await?;
        let asked: Vec<&str> = runs.iter().map(|(id, _)| id.as_str()).collect();
        for ids in tx.dialect().lists(&asked) {
            let mine = format!(
                "worker = ? AND state = 'running' AND id IN ({})",
                list(ids.len())
            );
            let values = || {
                let mut values = args![worker];
                values.extend(ids.iter().cloned());
                values
            };
            let sql = format!(
                "UPDATE runs SET lease_expires_at = {} + {RUN_LEASE_MS} WHERE {mine}",
                tx.dialect().now_ms()
            );
            tx.conn.execute(sql, values()).await?;
            let sql =
                format!("SELECT id, attempt, stop_requested_at IS NOT NULL FROM runs WHERE {mine}");
            for row in tx.conn.fetch(sql, values()).await? {
                let run = HeldRun {
                    run_id: row.text(0)?,
                    attempt: row.int(1)?,
                    stop_requested: row.int(2)? != 0,
                };
                if runs
                    .iter()
                    .any(|(id, attempt)| *id == run.run_id && *attempt == run.attempt)
                {
                    held.push(run);
                }
            }
        }
        tx.commit().await?;
        Ok(held)
    }

    /// Gives a run back, so that another worker can take it. Does nothing when the run is no longer held under `attempt`.
    pub async fn release_run(&self, id: &str, attempt: i64, why: Released) -> Result<()> {
        // The sweeper waits a little: what went wrong may still be wrong.
        let pause: i64 = if why == Released::Stopping { 0 } else { 1_000 };
        let failed = why == Released::Failed;
        let sql = format!(
            "UPDATE runs SET state = 'queued', worker = NULL, failures = failures + ?, lease_expires_at = {} + ? \
             WHERE id = ? AND attempt = ? AND state = 'running'",
            self.dialect().now_ms()
        );
        self.retried(|| self.execute(sql.clone(), args![failed, pause, id, attempt]))
            .await?;
        Ok(())
    }
}
