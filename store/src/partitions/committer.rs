//! The transactions of a chat worker, on a connection that its successor can end.

use crate::error::Result;
use crate::sql::Database;
use crate::{Store, Tx};

/// Where the owner of leases commits its batches. A process that was stopped in the middle of a transaction would keep the
/// lock of its leases; whoever takes them when they have expired ends this connection first ([`Store::take_leases`]).
///
/// It is one connection: a second transaction waits for the first to end. When it was lost, the next transaction makes a
/// new one.
pub struct Committer {
    db: Database,
}

impl Store {
    /// A committer for `owner`, under whose name its leases are held. One an owner: a second one ends the connection of
    /// the first.
    pub fn committer(&self, owner: &str) -> Committer {
        let db = match &self.db {
            Database::Sqlite(pools) => Database::Sqlite(pools.clone()),
            Database::MySql(server) => Database::MySql(server.of_owner(owner)),
        };
        Committer { db }
    }
}

impl Committer {
    /// Begins a transaction. Its first step is the fence ([`Tx::fence`]). It fails with [`crate::Error::Unavailable`] when
    /// the connection was ended by another owner; nothing of it was committed then.
    pub async fn begin(&self) -> Result<Tx> {
        let conn = self.db.begin().await?;
        Ok(Tx { conn })
    }
}
