//! Committing what a run did, under its attempt.

use std::sync::Arc;

use lingxi_domain::replay::StampedEvent;
use lingxi_domain::run::{ModelTurn, RunEvent, RunState, ToolOutcome, Usage};
use lingxi_store::{ClaimedRun, Error, FinishedRun, NewStep, Result, StepKind, Store};
use serde::Serialize;

use super::{Closing, Live, ModelBody, Overflow, RunLog, ToolBody};

/// The steps and the log of one run that is held here. Whatever it commits is fenced by the attempt: a worker that lost
/// the run gets [`Error::Fenced`], and nobody hears anything.
pub(crate) struct Ledger {
    store: Store,
    run_id: String,
    attempt: i64,
    /// The number of the next step.
    step: i64,
    log: Arc<RunLog>,
}

impl Ledger {
    /// Goes on behind what earlier attempts committed.
    pub(crate) fn resume(store: Store, claimed: &ClaimedRun) -> Self {
        let committed = claimed.steps.iter().flat_map(|step| step.events.clone());
        let log = RunLog::new(claimed.run.generation, committed.collect());
        Self {
            store,
            run_id: claimed.run.id.clone(),
            attempt: claimed.run.attempt,
            step: claimed.steps.last().map_or(1, |last| last.step + 1),
            log: Arc::new(log),
        }
    }

    /// The log, to read from.
    pub(crate) fn log(&self) -> Arc<RunLog> {
        self.log.clone()
    }

    /// Says something at once; it is committed with the next step.
    pub(crate) fn say(&self, live: Live) -> std::result::Result<(), Overflow> {
        self.log.push(live.into())
    }

    /// Commits a turn of the model that asks for tools, with what was said of it; answers the number of its step.
    pub(crate) async fn turn(&mut self, turn: &ModelTurn, usage: Usage) -> Result<i64> {
        let body = ModelBody {
            turn: turn.clone(),
            usage,
        };
        // Without a next event there is nothing that could be too much.
        let events = self.log.staged(None).unwrap_or_default();
        let step = self.step;
        self.commit(StepKind::Model, &body, &events).await?;
        self.log.settle(None);
        Ok(step)
    }

    /// Commits what a tool call came to, then tells it. Nothing is committed when the run has said too much.
    pub(crate) async fn outcome(
        &mut self,
        name: &str,
        call_id: &str,
        outcome: &ToolOutcome,
    ) -> Result<std::result::Result<(), Overflow>> {
        let event = RunEvent::ToolResult {
            name: name.to_owned(),
            result: outcome.result.clone(),
            success: outcome.success,
        };
        let events = match self.log.staged(Some(&event)) {
            Ok(events) => events,
            Err(overflow) => return Ok(Err(overflow)),
        };
        let body = ToolBody {
            call_id: call_id.to_owned(),
            outcome: outcome.clone(),
        };
        self.commit(StepKind::Tool, &body, &events).await?;
        self.log.settle(Some(event));
        Ok(Ok(()))
    }

    /// Ends the run, then tells it.
    pub(crate) async fn close(self, closing: Closing, usage: Usage) -> Result<RunState> {
        let event = closing.event(usage);
        // There is always room for the end.
        let events = self.log.staged(Some(&event)).unwrap_or_default();
        let (state, text, error) = match closing {
            Closing::Answered { text, .. } => (RunState::Done, text, None),
            Closing::Failed { code, message } => {
                let text = self.log.uncommitted_text();
                (RunState::Failed, text, Some((code, message)))
            }
        };
        let turn = ModelTurn {
            text,
            tool_calls: Vec::new(),
        };
        let body = ModelBody { turn, usage };
        let json = encode(&body)?;
        let end = FinishedRun {
            state,
            answer: &body.turn.text,
            usage,
            error: error
                .as_ref()
                .map(|(code, message)| (*code, message.as_str())),
            last: self.step(StepKind::End, &json, &events),
        };
        self.store
            .finish_run(&self.run_id, self.attempt, &end)
            .await?;
        self.log.settle(Some(event));
        Ok(state)
    }

    async fn commit(
        &mut self,
        kind: StepKind,
        body: &impl Serialize,
        events: &[StampedEvent],
    ) -> Result<()> {
        let json = encode(body)?;
        let step = self.step(kind, &json, events);
        self.store
            .commit_step(&self.run_id, self.attempt, &step)
            .await?;
        self.step += 1;
        Ok(())
    }

    fn step<'s>(&self, kind: StepKind, body: &'s str, events: &'s [StampedEvent]) -> NewStep<'s> {
        let position = events
            .last()
            .map_or(self.log.position(), |last| last.id.position);
        NewStep {
            step: self.step,
            kind,
            generation: self.log.generation(),
            position,
            body,
            events,
        }
    }
}

fn encode(body: &impl Serialize) -> Result<String> {
    serde_json::to_string(body).map_err(|error| Error::Corrupt(format!("a run's step: {error}")))
}

#[cfg(test)]
mod tests;
