//! On whose behalf something is done, and that it is done once.

use lingxi_domain::UserId;
use lingxi_store::{Effect, Store, Tx};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Failed;

/// Who does something. Permissions are this user's, whoever makes the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The user.
    pub user_id: UserId,
    /// The user's name.
    pub username: String,
    /// The tool call that it is done for. The same effect again does nothing and answers what the first one did.
    pub effect: Option<Effect>,
}

impl Actor {
    /// A user who acts for himself.
    pub fn new(user_id: UserId, username: impl Into<String>) -> Self {
        Self {
            user_id,
            username: username.into(),
            effect: None,
        }
    }

    /// The same user by a tool call of a run.
    #[must_use]
    pub fn for_effect(mut self, effect: Effect) -> Self {
        self.effect = Some(effect);
        self
    }

    /// Begins what this actor does.
    pub(crate) async fn begin<T: DeserializeOwned>(
        &self,
        store: &Store,
    ) -> Result<Begun<T>, Failed> {
        let mut tx = store.begin().await?;
        match tx.begin_effect(self.effect.as_ref()).await? {
            None => Ok(Begun::Fresh(tx)),
            Some(outcome) => serde_json::from_str(&outcome)
                .map(Begun::Done)
                .map_err(|error| {
                    let cause =
                        format!("run_effects.outcome does not fit what is done now: {error}");
                    lingxi_store::Error::Corrupt(cause).into()
                }),
        }
    }

    /// Records what was done, with it, and makes both durable.
    pub(crate) async fn commit<T: Serialize>(&self, mut tx: Tx, outcome: &T) -> Result<(), Failed> {
        if let Some(effect) = &self.effect {
            let outcome = serde_json::to_string(outcome).map_err(|error| {
                let cause = format!("an outcome cannot be recorded: {error}");
                lingxi_store::Error::Corrupt(cause)
            })?;
            tx.record_effect(Some(effect), &outcome).await?;
        }
        Ok(tx.commit().await?)
    }
}

/// A mutation at its beginning.
pub(crate) enum Begun<T> {
    /// Not done yet.
    Fresh(Tx),
    /// Done before, with this outcome.
    Done(T),
}

/// The transaction of something that is not done yet; returns what it did from the calling function if it is.
macro_rules! begin {
    ($actor:expr, $store:expr) => {
        match $actor.begin($store).await? {
            $crate::actor::Begun::Fresh(tx) => tx,
            $crate::actor::Begun::Done(outcome) => return Ok(outcome),
        }
    };
}
pub(crate) use begin;
