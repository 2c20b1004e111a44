//! All SQL of Lingxi, behind one [`Store`].
//!
//! Reads are methods of [`Store`]; whatever writes goes through a [`Tx`], whose typed steps a caller puts together and
//! commits. Rules about who may do what are not here but in `im` and the workers. Only this crate names sqlx. Start with
//! [`Store::open`], then `entries` (the log of a conversation) and `leases` (who may write to it).

mod connections;
mod contacts;
mod conversations;
mod cursors;
mod effects;
mod entries;
mod error;
mod groups;
mod leases;
mod members;
mod runs;
mod sql;
mod users;

#[cfg(feature = "conformance")]
pub mod conformance;

use std::path::PathBuf;

pub use connections::ConnectionIds;
pub use contacts::Contact;
pub use conversations::{ConversationHead, ConversationRow, LastMessage, UserHead};
pub use cursors::CursorMove;
pub use effects::Effect;
pub use entries::{Entry, EntryKind, NewEntry, Repeat, RepeatKey};
pub use error::{Error, Result};
pub use groups::{Group, NewGroup};
pub use leases::{Lease, LeaseProgress};
pub use members::{GroupMember, Member, ReadMove};
pub use runs::{
    Claim, ClaimedRun, CreatedRun, FinishedRun, HeldRun, MAX_FAILURES, NewRun, NewStep,
    RUN_LEASE_MS, Run, RunStep, StepKind, SweptRun,
};
pub use users::{NewUser, User};

/// Where the data is.
#[derive(Clone, Debug)]
pub enum Location {
    /// A SQLite file; it and its folder's write-ahead log are made when missing.
    Sqlite(PathBuf),
}

/// The database, shared by everything in a process. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pools: sql::sqlite::Pools,
}

impl Store {
    /// Opens the database, brings an embedded one's schema up to date and reads back that a commit reaches the disk.
    ///
    /// # Errors
    /// [`Error::Setup`] says what to do when the database cannot be relied on.
    pub async fn open(location: &Location) -> Result<Self> {
        let Location::Sqlite(path) = location;
        Ok(Self {
            pools: sql::sqlite::Pools::open(path).await?,
        })
    }

    /// Begins a transaction that may write. Nothing is seen by others before [`Tx::commit`]; dropped, it rolls back.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(Tx {
            conn: self.pools.begin().await?,
        })
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        self.reader()
            .await?
            .fetch("SELECT 1", vec![])
            .await
            .map(|_| ())
    }

    /// Ends all connections; what was committed stays.
    pub async fn close(&self) {
        self.pools.close().await;
    }

    async fn reader(&self) -> Result<sql::Conn> {
        self.pools.reader().await
    }
}

/// A transaction. Its methods are the typed steps of each aggregate.
pub struct Tx {
    conn: sql::Conn,
}

impl Tx {
    /// Makes everything durable and visible: when this returns, it is on the disk.
    pub async fn commit(self) -> Result<()> {
        self.conn.commit().await
    }
}
