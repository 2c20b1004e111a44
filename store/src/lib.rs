//! All SQL of Lingxi, behind one [`Store`].
//!
//! Reads are methods of [`Store`]; whatever writes goes through a [`Tx`], whose typed steps a caller puts together and
//! commits. Rules about who may do what are not here but in `im` and the workers. Only this crate names sqlx. Start with
//! [`Store::open`], then `conversations/entries` (the log) and `partitions/leases` (who may write to it).

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "a test's tasks end with its runtime"
    )
)]

mod accounts;
mod bots;
mod conversations;
mod error;
mod files;
mod gateways;
mod groups;
mod limits;
mod location;
mod names;
mod partitions;
mod readiness;
mod reports;
mod runs;
mod search;
pub mod settings;
mod sql;
mod write_check;

#[cfg(feature = "conformance")]
pub mod conformance;

use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};

use limits::{READ_LIMIT, SEARCH_LIMIT, SEARCHES};

pub use accounts::{Contact, ListedUser, NewUser, ProfileChange, User};
pub use bots::{
    Bot, BotWebhook, Delivery, DeliveryState, DueDelivery, FailedAttempt, HeldWebhook, Lane, Lanes,
    Next, WebhookMove,
};
pub use conversations::{
    Bounds, ConversationHead, ConversationRow, CursorMove, Entry, EntryKind, Excerpt, Mention,
    NewEntry, ReactionCount, ReadMark, ReadMove, Repeat, RepeatKey, Standing, Unconfirmed,
    UserHead,
};
pub use error::{Error, Outage, Result};
pub use files::{Claimed, NewFile, StoredFile, Thumbnail};
pub use groups::{
    Group, GroupMember, GroupSettings, InviteLink, Member, NewGroup, Roster, RosterMember,
};
pub use location::{Durability, Location, Migrated};
pub use names::Page;
pub use partitions::{Committer, ConnectionIds, Lease, LeaseProgress};
pub use reports::{NewReport, Report};
pub use runs::{
    Claim, ClaimedRun, CreatedRun, Effect, FinishedRun, HeldRun, MAX_FAILURES, NewRun, NewStep,
    RUN_LEASE_MS, Released, Run, RunStep, StepKind, SweptRun,
};
pub use search::{IndexPart, Searchable, Unindexed};
pub use sql::mysql::MySqlOptions;
pub use sql::retry::Failure;

/// The database, shared by everything in a process. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    db: sql::Database,
    /// Searches at once: they read much, and must leave readers to the others.
    searches: Arc<Semaphore>,
    write_check: write_check::WriteCheck,
}

impl Store {
    /// Opens the database, brings an embedded one's schema up to date and reads back whether a commit reaches the disk.
    /// The schema of a server is only checked: see [`Store::migrate`].
    ///
    /// # Errors
    /// [`Error::Setup`] says what to do when the database cannot be used; [`Error::Unavailable`] when its server cannot be
    /// reached now, which may pass.
    pub async fn open(location: &Location) -> Result<Self> {
        let store = Self {
            db: sql::Database::open(location).await?,
            searches: Arc::new(Semaphore::new(SEARCHES)),
            write_check: write_check::WriteCheck::default(),
        };
        store.fill_names().await?;
        Ok(store)
    }

    /// Brings the schema up to date, and makes the database if it does not exist and the user may. Of several callers one
    /// works and the others wait. A schema that is newer than this build, and suits it, is left as it is.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn migrate(location: &Location) -> Result<Migrated> {
        match location {
            Location::Sqlite(path) => sql::sqlite::migrate(path).await,
            Location::MySql(options) => {
                let applied = sql::mysql::migrate(options).await?;
                // What the schema cannot do by itself is done when it is opened.
                Self::open(location).await?.close().await;
                Ok(applied)
            }
        }
    }

    /// What a commit is worth.
    pub fn durability(&self) -> Durability {
        self.db.durability()
    }

    /// Begins a transaction that may write. Nothing is seen by others before [`Tx::commit`]; dropped, it rolls back.
    /// Where [`Error::was_rolled_back`], it may be run again from its beginning: [`Store::retried`].
    pub async fn begin(&self) -> Result<Tx> {
        Ok(Tx {
            conn: self.db.begin().await?,
        })
    }

    /// Ends all connections; what was committed stays.
    pub async fn close(&self) {
        self.db.close().await;
    }

    async fn reader(&self) -> Result<sql::Conn> {
        self.db.reader(READ_LIMIT).await
    }

    /// A connection for a search: few at once, and each statement in a short time.
    ///
    /// # Errors
    /// [`Error::TimedOut`] when others search for too long.
    async fn searcher(&self) -> Result<Searcher<'_>> {
        let turn = tokio::time::timeout(SEARCH_LIMIT, self.searches.acquire()).await;
        let Ok(Ok(turn)) = turn else {
            let cause = format!("no turn to search within {SEARCH_LIMIT:?}");
            return Err(Error::out_of_time(cause));
        };
        Ok(Searcher {
            conn: self.db.searcher(SEARCH_LIMIT).await?,
            _turn: turn,
        })
    }

    fn dialect(&self) -> sql::Dialect {
        self.db.dialect()
    }

    /// One writing statement that is a transaction of its own; answers how many rows it found.
    async fn execute(
        &self,
        sql: impl Into<std::borrow::Cow<'static, str>>,
        args: Vec<sql::Value<'_>>,
    ) -> Result<u64> {
        let mut conn = self.db.alone().await?;
        let found = conn.execute(sql, args).await?;
        conn.commit().await?;
        Ok(found)
    }
}

/// A connection that a search has while it has its turn.
struct Searcher<'a> {
    conn: sql::Conn,
    _turn: SemaphorePermit<'a>,
}

/// A transaction. Its methods are the typed steps of each aggregate.
pub struct Tx {
    conn: sql::Conn,
}

impl Tx {
    fn dialect(&self) -> sql::Dialect {
        self.conn.dialect()
    }

    /// Makes everything durable and visible: when this returns, it is on the disk.
    ///
    /// # Errors
    /// [`Error::Unavailable`] with [`Outage::is_unknown`] when the connection was lost meanwhile: it may have happened.
    pub async fn commit(self) -> Result<()> {
        self.conn.commit().await
    }
}
