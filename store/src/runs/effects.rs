//! What tool calls of runs did, recorded in the transaction that did it, so that none is done twice.

use lingxi_domain::now_ms;

use crate::Tx;
use crate::error::{Error, Result};
use crate::sql::args;

/// The idempotency key of one tool call, and the attempt under which its run is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The run.
    pub run_id: String,
    /// The step of the run that asked for the call.
    pub step: i64,
    /// Which call of that step, from 0.
    pub ordinal: i64,
    /// The caller's attempt: the fence.
    pub attempt: i64,
}

impl Tx {
    /// The outcome that this effect had, if it was done before; `None` when there is no effect to guard or it is new.
    ///
    /// # Errors
    /// [`Error::Fenced`] when another worker took the run over: nothing may be done for it any more.
    pub async fn begin_effect(&mut self, effect: Option<&Effect>) -> Result<Option<String>> {
        let Some(effect) = effect else {
            return Ok(None);
        };
        let sql = format!(
            "SELECT attempt, state FROM runs WHERE id = ?{}",
            self.dialect().for_update()
        );
        let row = self.conn.fetch_one(sql, args![&effect.run_id]).await?;
        let held = match row {
            Some(row) => row.int(0)? == effect.attempt && row.text(1)? == "running",
            None => false,
        };
        if !held {
            return Err(Error::Fenced);
        }
        let sql = "SELECT outcome FROM run_effects WHERE run_id = ? AND step = ? AND ordinal = ?";
        let row = self
            .conn
            .fetch_one(sql, args![&effect.run_id, effect.step, effect.ordinal])
            .await?;
        row.map(|r| r.text(0)).transpose()
    }

    /// Records what the effect did, in this transaction; nothing when there is no effect to guard.
    pub async fn record_effect(&mut self, effect: Option<&Effect>, outcome: &str) -> Result<()> {
        let Some(effect) = effect else { return Ok(()) };
        let sql = "INSERT INTO run_effects (run_id, step, ordinal, outcome, created_at) VALUES (?, ?, ?, ?, ?)";
        let values = args![
            &effect.run_id,
            effect.step,
            effect.ordinal,
            outcome,
            now_ms()
        ];
        self.conn.execute(sql, values).await?;
        Ok(())
    }
}
