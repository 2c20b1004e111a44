//! Questions to the assistant: asking, finding one's own, and following them.

use std::time::Duration;

use lingxi_bus::Lane;
use lingxi_domain::event_id::EventId;
use lingxi_domain::run::RunKind;
use lingxi_domain::{ErrorCode, UserId, limits, replay};
use lingxi_proto::Message as _;
use lingxi_proto::bus::{RunRequest, Watcher};
use lingxi_store::{CreatedRun, NewRun, Run};

use crate::{Error, Inner, Limits, Payer, Result, Spending};

/// How soon an answer may have ended, so that another question can be asked.
const SOON: Duration = Duration::from_secs(2);

/// A question to the assistant.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What kind of answer is wanted.
    pub kind: RunKind,
    /// 1 byte to 16 KiB.
    pub message: &'a str,
    /// 1 to 128 bytes: the same key and message again is the same run.
    pub idempotency_key: Option<&'a str>,
    /// How long the answer may take, in milliseconds.
    pub deadline_ms: i64,
}

/// What became of a question.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// A new run, committed. [`Runs::queue`] hands it to the workers.
    New(Run),
    /// The run that the same question and key made before.
    Before(Run),
}

/// The assistant's runs. Made by [`crate::Im::runs`].
#[derive(Clone, Copy)]
pub struct Runs<'a> {
    pub(crate) im: &'a Inner,
}

impl Runs<'_> {
    /// Commits a question. A repeat costs nothing.
    ///
    /// # Errors
    /// `invalid_request` and `too_large` for what cannot be asked, `idempotency_conflict` for a key of another question,
    /// `rate_limited` when the user has asked too often, or has too many answers under way.
    pub async fn ask(&self, user: UserId, question: &Question<'_>) -> Result<Asked> {
        check(question)?;
        let id = uuid::Uuid::now_v7().simple().to_string();
        let new = NewRun {
            id: &id,
            user_id: user,
            kind: question.kind,
            lane: Lane::Interactive.as_str(),
            conversation: None,
            input: question.message,
            idempotency_key: question.idempotency_key,
            deadline_ms: question.deadline_ms,
        };
        let created = match self.im.store.repeated_run(&new).await? {
            Some(before) => before,
            None => {
                let limits = Limits { im: self.im };
                limits.spend(Payer::User(user), Spending::Run, 1).await?;
                let config = &self.im.config;
                let at_once = config.rate_limits.then_some(config.runs.at_once);
                self.im.store.create_run_within(&new, at_once).await?
            }
        };
        match created {
            CreatedRun::New(run) => Ok(Asked::New(run)),
            CreatedRun::Existing(run) => Ok(Asked::Before(run)),
            CreatedRun::Conflict => Err(ErrorCode::IdempotencyConflict.into()),
            CreatedRun::TooMany => Err(Error::limited("Too many answers at once", SOON)),
        }
    }

    /// Hands a committed run to the workers; one of them sends its events to `subscriber`. When the queue cannot take it,
    /// it waits for the workers' sweeper.
    pub async fn queue(&self, run: &Run, subscriber: Option<Watcher>) {
        let request = RunRequest {
            run_id: run.id.clone(),
            watcher: subscriber,
            user_id: run.user_id,
        };
        let queued = self
            .im
            .bus
            .enqueue(Lane::Interactive, request.encode_to_vec().into())
            .await;
        if let Err(error) = queued {
            tracing::warn!(%error, run = run.id, "a run waits for the sweeper to be queued");
        }
    }

    /// One of the user's own runs.
    ///
    /// # Errors
    /// `run_not_found`, also for other users' runs.
    pub async fn find(&self, user: UserId, run: &str) -> Result<Run> {
        let found = self.im.store.run(run).await?;
        let own = found.filter(|run| run.user_id == user);
        own.ok_or_else(|| ErrorCode::RunNotFound.into())
    }

    /// One of the user's own runs, to be followed from behind `after`.
    ///
    /// # Errors
    /// As [`Self::find`]; `invalid_request` for an event id that the run surely never gave out.
    pub async fn follow(&self, user: UserId, run: &str, after: EventId) -> Result<Run> {
        let run = self.find(user, run).await?;
        if after == EventId::START {
            return Ok(run);
        }
        let steps = self.im.store.run_steps(&run.id).await?;
        let events: Vec<_> = steps.into_iter().flat_map(|step| step.events).collect();
        match replay::gave_out(&events, run.generation, run.state.is_final(), after) {
            Some(false) => Err(Error::invalid(
                "last_event_id: this run never gave that id out; send one that an event came with.",
            )),
            Some(true) | None => Ok(run),
        }
    }

    /// Whether a user with `open` streams at this node may open another.
    ///
    /// # Errors
    /// `rate_limited`.
    pub fn may_follow(&self, open: usize) -> Result<()> {
        if open < self.im.config.runs.subscribers {
            return Ok(());
        }
        Err(Error::limited("Too many streams of answers at once", SOON))
    }
}

fn check(question: &Question<'_>) -> Result<()> {
    if question.message.is_empty() {
        return Err(Error::invalid("message: say something."));
    }
    if question.message.len() > limits::MAX_CONTENT_BYTES {
        let message = format!("message: send at most {} bytes.", limits::MAX_CONTENT_BYTES);
        return Err(Error::new(ErrorCode::TooLarge, message));
    }
    let key = question.idempotency_key.map(str::len);
    if key.is_some_and(|length| length == 0 || length > limits::MAX_IDEMPOTENCY_KEY_BYTES) {
        return Err(Error::invalid(format!(
            "idempotency_key: use 1 to {} bytes.",
            limits::MAX_IDEMPOTENCY_KEY_BYTES
        )));
    }
    Ok(())
}
