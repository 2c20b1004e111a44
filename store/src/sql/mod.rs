//! The one place that talks to a database driver: values in, rows out, the same for every dialect.
//!
//! Queries are written once, with `?` for every value; what must differ is in [`dialect`]. [`sqlite`] and [`mysql`] hold
//! the connections.

pub(crate) mod compatibility;
pub(crate) mod dialect;
pub(crate) mod migrations;
pub(crate) mod mysql;
mod pieces;
pub(crate) mod retry;
mod row;
#[cfg(test)]
mod schema_tests;
pub(crate) mod sqlite;
mod value;

use std::borrow::Cow;
use std::time::Duration;

use crate::error::Result;
use crate::{Durability, Location};
pub(crate) use dialect::{Column, Dialect};
pub(crate) use row::{Done, Row};
pub(crate) use sqlite::Shape;
pub(crate) use value::{Value, args, list, placeholders};

/// The connections of one database.
#[derive(Clone)]
pub(crate) enum Database {
    Sqlite(sqlite::Pools),
    MySql(mysql::Server),
}

impl Database {
    pub(crate) async fn open(location: &Location) -> Result<Self> {
        Ok(match location {
            Location::Sqlite(path) => Self::Sqlite(sqlite::Pools::open(path).await?),
            Location::MySql(options) => Self::MySql(mysql::Server::open(options).await?),
        })
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::MySql(_) => Dialect::MySql,
        }
    }

    pub(crate) fn durability(&self) -> Durability {
        match self {
            Self::Sqlite(_) => sqlite::durability(),
            Self::MySql(server) => server.durability(),
        }
    }

    /// Why a write failed just now, where it was the disk that failed and small writes may succeed all the same.
    pub(crate) fn disk_failure(&self) -> Option<String> {
        match self {
            // Everything that is written is written behind the rest.
            Self::Sqlite(_) => None,
            Self::MySql(server) => server.disk_failure(),
        }
    }

    /// For reading what is committed; a statement that takes longer than `limit` ends as [`Error::TimedOut`].
    pub(crate) async fn reader(&self, limit: Duration) -> Result<Conn> {
        Ok(match self {
            Self::Sqlite(pools) => Conn::Sqlite(pools.reader(limit).await?),
            Self::MySql(server) => Conn::MySql(server.reader(limit).await?),
        })
    }

    /// As [`Self::reader`], for a search: it may read much.
    pub(crate) async fn searcher(&self, limit: Duration) -> Result<Conn> {
        Ok(match self {
            Self::Sqlite(pools) => Conn::Sqlite(pools.searcher(limit).await?),
            Self::MySql(server) => Conn::MySql(server.reader(limit).await?),
        })
    }

    /// For one writing statement that is a transaction of its own. On MySQL it is committed when it returns, without the
    /// round trips of BEGIN and COMMIT; [`Conn::commit`] is due on every database.
    pub(crate) async fn alone(&self) -> Result<Conn> {
        Ok(match self {
            Self::Sqlite(pools) => Conn::Sqlite(pools.begin().await?),
            Self::MySql(server) => Conn::MySql(server.alone().await?),
        })
    }

    /// For a transaction.
    pub(crate) async fn begin(&self) -> Result<Conn> {
        Ok(match self {
            Self::Sqlite(pools) => Conn::Sqlite(pools.begin().await?),
            Self::MySql(server) => Conn::MySql(server.begin().await?),
        })
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(pools) => pools.close().await,
            Self::MySql(server) => server.close().await,
        }
    }
}

/// A connection: a pooled one for reading or for one statement, or one inside a transaction. Dropped without
/// [`Conn::commit`], a transaction rolls back.
pub(crate) enum Conn {
    Sqlite(sqlite::Session),
    MySql(mysql::Session),
}

impl Conn {
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::MySql(_) => Dialect::MySql,
        }
    }

    /// All rows of a query.
    pub(crate) async fn fetch(
        &mut self,
        sql: impl Into<Cow<'static, str>>,
        args: Vec<Value<'_>>,
    ) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        let all = |row| {
            rows.push(row);
            Ok(true)
        };
        self.fetch_while(sql, args, all).await?;
        Ok(rows)
    }

    /// All rows of a query that has many small ones, which arrive together where that is faster.
    pub(crate) async fn fetch_together(
        &mut self,
        sql: String,
        shape: Shape,
        args: Vec<Value<'_>>,
    ) -> Result<Vec<Row>> {
        match self {
            Self::Sqlite(session) => session.fetch_together(&sql, shape, args).await,
            Self::MySql(_) => self.fetch(sql, args).await,
        }
    }

    /// Hands each row of a query to `take` until it answers false: what is behind is not held, and mostly not read.
    pub(crate) async fn fetch_while(
        &mut self,
        sql: impl Into<Cow<'static, str>>,
        args: Vec<Value<'_>>,
        take: impl FnMut(Row) -> Result<bool>,
    ) -> Result<()> {
        match self {
            Self::Sqlite(session) => session.fetch_while(sql.into(), args, take).await,
            Self::MySql(session) => session.fetch_while(sql.into(), args, take).await,
        }
    }

    /// The first row of a query, if any.
    pub(crate) async fn fetch_one(
        &mut self,
        sql: impl Into<Cow<'static, str>>,
        args: Vec<Value<'_>>,
    ) -> Result<Option<Row>> {
        Ok(self.fetch(sql, args).await?.into_iter().next())
    }

    /// All rows of a query about any number of keys: `IN (*)` in it stands for them. It is asked in pieces; `first` are the
    /// values in front of the keys. Without keys nothing is asked.
    pub(crate) async fn fetch_in<'a, K: Copy + Into<Value<'a>>>(
        &mut self,
        sql: &str,
        first: Vec<Value<'a>>,
        keys: &[K],
    ) -> Result<Vec<Row>> {
        let mut found = Vec::with_capacity(keys.len());
        for piece in self.dialect().lists(keys) {
            let sql = sql.replace("IN (*)", &format!("IN ({})", list(piece.len())));
            let values = first.iter().cloned().chain(piece).collect();
            found.extend(self.fetch(sql, values).await?);
        }
        Ok(found)
    }

    /// Runs a statement; answers how many rows an UPDATE or DELETE found. For an INSERT the number means nothing.
    pub(crate) async fn execute(
        &mut self,
        sql: impl Into<Cow<'static, str>>,
        args: Vec<Value<'_>>,
    ) -> Result<u64> {
        Ok(self.run(sql.into(), args).await?.found)
    }

    /// Runs a statement about any number of keys, as [`Self::fetch_in`] asks.
    pub(crate) async fn execute_in<'a, K: Copy + Into<Value<'a>>>(
        &mut self,
        sql: &str,
        first: Vec<Value<'a>>,
        keys: &[K],
    ) -> Result<()> {
        for piece in self.dialect().lists(keys) {
            let sql = sql.replace("IN (*)", &format!("IN ({})", list(piece.len())));
            let values = first.iter().cloned().chain(piece).collect();
            self.execute(sql, values).await?;
        }
        Ok(())
    }

    /// Runs an INSERT into a table that numbers its rows; answers the new number.
    pub(crate) async fn insert(
        &mut self,
        sql: impl Into<Cow<'static, str>>,
        args: Vec<Value<'_>>,
    ) -> Result<i64> {
        Ok(self.run(sql.into(), args).await?.number)
    }

    async fn run(&mut self, sql: Cow<'static, str>, args: Vec<Value<'_>>) -> Result<Done> {
        match self {
            Self::Sqlite(session) => session.execute(sql, args).await,
            Self::MySql(session) => session.execute(sql, args).await,
        }
    }

    /// Commits a transaction: when this returns, the rows are on the disk.
    pub(crate) async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(session) => session.commit().await,
            Self::MySql(session) => session.commit().await,
        }
    }
}
