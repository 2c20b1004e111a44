//! What runs on one connection: some reads, or one transaction.

use std::borrow::Cow;
use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, Row as _, Sqlite, SqliteConnection};

use super::failure::{self, Stage};
use super::pool::{Live, Pool};
use super::together::{Shape, pack, unpack};
use crate::error::{Error, Result};
use crate::sql::{Done, Row, Value};

/// A connection and what it is used for.
pub(crate) struct Session {
    /// `None` once the connection was thrown away.
    live: Option<Live>,
    /// The longest that a statement may take; `None` in a transaction, which is never interrupted.
    limit: Option<Duration>,
    /// A statement was sent whose answer was not read yet; so it stays when its future is dropped.
    busy: bool,
}

impl Session {
    /// For reading, each statement in at most `limit`.
    pub(super) async fn reader(pool: &Pool, limit: Duration) -> Result<Self> {
        Ok(Self {
            live: Some(pool.acquire().await?),
            limit: Some(limit),
            busy: false,
        })
    }

    /// A transaction, which is the only writer.
    pub(super) async fn begin(pool: &Pool) -> Result<Self> {
        let mut session = Self {
            live: Some(pool.acquire().await?),
            limit: None,
            busy: false,
        };
        session.command("BEGIN IMMEDIATE", Stage::Open).await?;
        Ok(session)
    }

    /// Hands each row to `take` until it answers false or there are no more.
    pub(crate) async fn fetch_while(
        &mut self,
        sql: Cow<'static, str>,
        args: Vec<Value<'_>>,
        mut take: impl FnMut(Row) -> Result<bool>,
    ) -> Result<()> {
        let query = query(sql, args)?;
        let mut taken = Ok(());
        let all_taken = self
            .run(Stage::Open, async |conn| {
                let mut stream = query.fetch(conn);
                while let Some(row) = stream.try_next().await? {
                    match take(Row::Sqlite(row)) {
                        Ok(true) => {}
                        Ok(false) => return Ok(()),
                        Err(error) => {
                            taken = Err(error);
                            return Ok(());
                        }
                    }
                }
                Ok(())
            })
            .await;
        all_taken.and(taken)
    }

    /// All rows, as one.
    pub(crate) async fn fetch_together(
        &mut self,
        sql: &str,
        shape: Shape,
        args: Vec<Value<'_>>,
    ) -> Result<Vec<Row>> {
        let query = query(pack(sql, shape).into(), args)?;
        let row = self
            .run(Stage::Open, async |conn| query.fetch_one(conn).await)
            .await?;
        let bytes = match shape {
            Shape::Plain(_) => None,
            Shape::AndBytes(_) => row.try_get(1)?,
        };
        let rows = unpack(row.try_get(0)?, bytes, shape)?;
        Ok(rows.into_iter().map(Row::Packed).collect())
    }

    pub(crate) async fn execute(
        &mut self,
        sql: Cow<'static, str>,
        args: Vec<Value<'_>>,
    ) -> Result<Done> {
        let query = query(sql, args)?;
        let done = self
            .run(Stage::Open, async |conn| query.execute(conn).await)
            .await?;
        Ok(Done {
            found: done.rows_affected(),
            number: done.last_insert_rowid(),
        })
    }

    pub(crate) async fn commit(mut self) -> Result<()> {
        if self.limit.is_some() {
            return Err(Error::Database("a reader has nothing to commit".into()));
        }
        self.command("COMMIT", Stage::Committing).await?;
        if let Some(live) = self.live.take() {
            live.pool().note(None);
            live.give_back();
        }
        Ok(())
    }

    async fn command(&mut self, sql: &'static str, stage: Stage) -> Result<()> {
        self.run(stage, async |conn| {
            sqlx::query(sql).execute(conn).await.map(|_| ())
        })
        .await
    }

    async fn run<T>(
        &mut self,
        stage: Stage,
        once: impl AsyncFnOnce(&mut SqliteConnection) -> std::result::Result<T, sqlx::Error>,
    ) -> Result<T> {
        let Some(live) = self.live.as_mut() else {
            return Err(Error::away(
                "the transaction was rolled back by an earlier failure",
            ));
        };
        if let Some(limit) = self.limit {
            live.deadline.set(limit);
        }
        self.busy = true;
        let outcome = once(&mut live.conn).await;
        self.busy = false;
        let error = match outcome {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let (sound, outage) = (
            failure::leaves_connection_sound(&error),
            failure::is_outage(&error),
        );
        let error = failure::of_statement(error, stage);
        if outage {
            live.pool().note(Some(&error));
        }
        if !sound && let Some(live) = self.live.take() {
            live.throw_away();
        }
        Err(error)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(live) = self.live.take() else {
            return;
        };
        match self.limit {
            // The statement of a reader that was given up: interrupted, and its connection with it.
            Some(_) if self.busy => live.throw_away(),
            Some(_) => live.give_back(),
            None => live.roll_back(),
        }
    }
}

fn query<'a>(
    sql: Cow<'static, str>,
    args: Vec<Value<'_>>,
) -> Result<Query<'a, Sqlite, SqliteArguments>> {
    let mut bound = SqliteArguments::default();
    for value in args {
        match value {
            Value::Int(v) => bound.add(v),
            Value::OptInt(v) => bound.add(v),
            Value::Text(v) => bound.add(v.into_owned()),
            Value::OptText(v) => bound.add(v.map(Cow::into_owned)),
            Value::Bytes(v) => bound.add(v.into_owned()),
        }
        .map_err(|e| Error::Database(e.to_string()))?;
    }
    Ok(match sql {
        Cow::Borrowed(text) => sqlx::query_with(text, bound),
        // Texts made at run time consist of constants and placeholders; values are always bound.
        Cow::Owned(text) => sqlx::query_with(AssertSqlSafe(text), bound),
    })
}
