//! What runs on one connection: some reads, one statement, or one transaction.

use futures_util::TryStreamExt;
use sqlx::mysql::{MySqlArguments, MySqlConnection};
use sqlx::query::Query;
use sqlx::{Arguments, AssertSqlSafe, MySql};
use std::borrow::Cow;

use super::failure::{self, Stage};
use super::pool::{Live, Pool};
use crate::error::{Error, Result};
use crate::sql::{Done, Row, Value};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Reading,
    /// One statement, committed when it returns.
    Alone,
    Transaction,
}

/// A pooled connection and what it is used for.
pub(crate) struct Session {
    /// `None` once the connection was lost.
    live: Option<Live>,
    mode: Mode,
    /// A statement was sent whose answer was not read yet; so it stays when its future is dropped.
    busy: bool,
}

impl Session {
    pub(super) async fn reader(pool: &Pool) -> Result<Self> {
        Self::new(pool, Mode::Reading).await
    }

    pub(super) async fn alone(pool: &Pool) -> Result<Self> {
        Self::new(pool, Mode::Alone).await
    }

    pub(super) async fn begin(pool: &Pool) -> Result<Self> {
        let mut session = Self::new(pool, Mode::Transaction).await?;
        session.command("BEGIN", Stage::Open).await?;
        Ok(session)
    }

    async fn new(pool: &Pool, mode: Mode) -> Result<Self> {
        Ok(Self {
            live: Some(pool.acquire().await?),
            mode,
            busy: false,
        })
    }

    pub(crate) async fn fetch(
        &mut self,
        sql: Cow<'static, str>,
        args: Vec<Value<'_>>,
    ) -> Result<Vec<Row>> {
        let text = sql.clone();
        let query = query(sql, args)?;
        self.run(&text, self.stage(), async |conn| {
            let mut rows = Vec::new();
            let mut stream = query.fetch(conn);
            while let Some(row) = stream.try_next().await? {
                rows.push(Row::MySql(row));
            }
            Ok(rows)
        })
        .await
    }

    pub(crate) async fn execute(
        &mut self,
        sql: Cow<'static, str>,
        args: Vec<Value<'_>>,
    ) -> Result<Done> {
        let text = sql.clone();
        let query = query(sql, args)?;
        let done = self
            .run(&text, self.stage(), async |conn| query.execute(conn).await)
            .await?;
        Ok(Done {
            // The driver asks for found rows, not changed ones.
            found: done.rows_affected(),
            number: i64::try_from(done.last_insert_id()).unwrap_or(i64::MAX),
        })
    }

    pub(crate) async fn commit(mut self) -> Result<()> {
        match self.mode {
            Mode::Transaction => {
                self.command("COMMIT", Stage::Committing).await?;
                self.mode = Mode::Reading;
                Ok(())
            }
            Mode::Alone => Ok(()),
            Mode::Reading => Err(Error::Database("a reader has nothing to commit".into())),
        }
    }

    fn stage(&self) -> Stage {
        match self.mode {
            Mode::Reading | Mode::Transaction => Stage::Open,
            Mode::Alone => Stage::Committing,
        }
    }

    async fn command(&mut self, sql: &'static str, stage: Stage) -> Result<()> {
        self.run(sql, stage, async |conn| {
            sqlx::raw_sql(sql).execute(conn).await.map(|_| ())
        })
        .await
    }

    /// One round trip, in bounded time.
    async fn run<T>(
        &mut self,
        sql: &str,
        stage: Stage,
        once: impl AsyncFnOnce(&mut MySqlConnection) -> std::result::Result<T, sqlx::Error>,
    ) -> Result<T> {
        let Some(live) = self.live.as_mut() else {
            return Err(Error::rolled_back("the connection was lost before"));
        };
        self.busy = true;
        let longest = live.statement_timeout();
        let outcome = tokio::time::timeout(longest, once(&mut live.conn)).await;
        match outcome {
            Ok(outcome) => {
                self.busy = false;
                outcome.map_err(|error| {
                    if failure::is_lost(&error) {
                        self.live = None;
                    }
                    failure::of_statement(&error, stage, sql)
                })
            }
            Err(_) => {
                // Never used again: the server's answer may come yet.
                self.live = None;
                let cause = format!("a statement got no answer within {longest:?}");
                Err(match stage {
                    Stage::Open => Error::out_of_time(cause),
                    Stage::Committing => Error::unknown(cause),
                })
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        match (self.live.take(), self.mode) {
            // The connection closes with an answer outstanding, and the server rolls back.
            (Some(_), _) if self.busy => {}
            (Some(live), Mode::Transaction) => live.roll_back(),
            (Some(live), Mode::Reading | Mode::Alone) => live.give_back(),
            (None, _) => {}
        }
    }
}

pub(super) fn query<'q>(
    sql: Cow<'static, str>,
    args: Vec<Value<'_>>,
) -> Result<Query<'q, MySql, MySqlArguments>> {
    let mut bound = MySqlArguments::default();
    for value in args {
        match value {
            Value::Int(v) => bound.add(v),
            Value::OptInt(v) => bound.add(v),
            Value::Text(v) => bound.add(v.as_ref()),
            Value::OptText(v) => bound.add(v.as_deref()),
        }
        .map_err(|e| Error::Database(e.to_string()))?;
    }
    Ok(match sql {
        Cow::Borrowed(text) => sqlx::query_with(text, bound),
        // Texts made at run time consist of constants and placeholders; values are always bound.
        Cow::Owned(text) => sqlx::query_with(AssertSqlSafe(text), bound),
    })
}
