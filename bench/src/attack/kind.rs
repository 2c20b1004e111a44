//! The attacks by name.

use std::{collections::BTreeMap, pin::Pin};

use clap::ValueEnum;
use serde::Serialize;
use tokio::time::Instant;

use super::{flood::Tally, kinds, stage::Stage};

/// What an attack does until its time is up.
pub(super) type Running = Pin<Box<dyn Future<Output = ()>>>;

/// An attack with its accounts made, ready to begin.
pub(super) struct Prepared {
    tally: Tally,
    begin: Box<dyn FnOnce(Instant, Tally) -> Running>,
}

impl Prepared {
    /// An attack without accounts, or with those that `begin` holds.
    pub(super) fn new<F>(begin: impl FnOnce(Instant, Tally) -> F + 'static) -> Self
    where
        F: Future<Output = ()> + 'static,
    {
        Self {
            tally: Tally::default(),
            begin: Box::new(move |until, tally| Box::pin(begin(until, tally))),
        }
    }

    /// Runs it, and tells what became of its tries.
    pub(super) async fn run(self, until: Instant) -> BTreeMap<String, u64> {
        (self.begin)(until, self.tally.clone()).await;
        self.tally.counts()
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $file:ident;)*) => {
        /// An attack. Its file says what it does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Kind { $($(#[$doc])* $name,)* }

        impl Kind {
            /// Every one.
            #[must_use]
            pub fn all() -> Vec<Self> {
                vec![$(Self::$name),*]
            }

            pub(super) async fn prepare(self, stage: &Stage) -> anyhow::Result<Prepared> {
                match self { $(Self::$name => kinds::$file::prepare(stage).await,)* }
            }
        }
    };
}

kinds! {
    /// Large bodies begun and never ended, without a token
    Bodies bodies;
    /// Requests with methods that do not exist
    Methods methods;
    /// Connections that say nothing, or half a header
    Silence silence;
    /// Pages of history that are asked for and not read
    SlowReader slow_reader;
    /// Groups made as fast as they come, and listed
    Groups groups;
    /// Questions to the assistant as fast as they come
    Runs runs;
    /// A new socket whenever the old one's limit is reached
    Sockets sockets;
    /// Joining and leaving a large group, forced invitations, typing
    Churn churn;
    /// Wrong passwords for one name, and many logins at once
    Passwords passwords;
    /// Ids of events that never were
    Events events;
    /// Following one run and going away, again and again
    Followers followers;
    /// Large escaped messages, and asking for them
    Escapes escapes;
    /// Searches, many at once
    Searches searches;
}

impl Kind {
    pub(super) fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }
}
