//! What runs on one connection: some reads, one statement, or one transaction.

use futures_util::TryStreamExt;
use sqlx::mysql::{MySqlArguments, MySqlConnection};
use sqlx::query::Query;
use sqlx::{Arguments, AssertSqlSafe, MySql};
use std::borrow::Cow;
use std::time::Duration;

use super::failure::{self, Stage};
use super::pool::{Live, Pool};
use crate::error::{Error, Result};
use crate::sql::{Done, Row, Value};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Each statement in at most this time, which the server sees to.
    Reading(Duration),
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
    pub(super) async fn reader(pool: &Pool, limit: Duration) -> Result<Self> {
        // The server ends it before we stop waiting, so that a slow statement is not taken for a server that is away.
        let limit = limit.min(pool.options().statement_timeout.mul_f32(0.8));
        Self::new(pool, Mode::Reading(limit)).await
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

    /// Hands each row to `take` until it answers false or there are no more. What is left is read over by the next
    /// statement of the connection.
    pub(crate) async fn fetch_while(
        &mut self,
        sql: Cow<'static, str>,
        args: Vec<Value<'_>>,
        mut take: impl FnMut(Row) -> Result<bool>,
    ) -> Result<()> {
        let sql = match self.mode {
            Mode::Reading(limit) => limited(limit, sql),
            Mode::Alone | Mode::Transaction => sql,
        };
        let text = sql.clone();
        let query = query(sql, args)?;
        let mut taken = Ok(());
        let all_taken = self
            .run(&text, self.stage(), async |conn| {
                let mut stream = query.fetch(conn);
                while let Some(row) = stream.try_next().await? {
                    match take(Row::MySql(row)) {
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
                self.mode = Mode::Alone;
                Ok(())
            }
            Mode::Alone => Ok(()),
            Mode::Reading(_) => Err(Error::Database("a reader has nothing to commit".into())),
        }
    }

    fn stage(&self) -> Stage {
        match self.mode {
            Mode::Reading(_) | Mode::Transaction => Stage::Open,
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
                if let Err(error) = &outcome
                    && !matches!(self.mode, Mode::Reading(_))
                    && failure::is_of_the_disk(error)
                {
                    live.disk().failed(error);
                }
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
                Err(match (stage, self.mode) {
                    (Stage::Committing, _) => Error::unknown(cause),
                    // The server would have ended the statement before: it is the server that does not answer.
                    (Stage::Open, Mode::Reading(_)) => Error::away(cause),
                    (Stage::Open, _) => Error::out_of_time(cause),
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
            (Some(live), Mode::Reading(_) | Mode::Alone) => live.give_back(),
            (None, _) => {}
        }
    }
}

/// A reading statement that the server ends itself when it takes too long. MariaDB reads the first comment and MySQL the
/// second.
fn limited(limit: Duration, sql: Cow<'static, str>) -> Cow<'static, str> {
    let limits = format!(
        "/*M!100100 SET STATEMENT max_statement_time={} FOR */ ",
        limit.as_secs_f32()
    );
    match sql.strip_prefix("SELECT ") {
        Some(rest) => format!(
            "{limits}SELECT /*+ MAX_EXECUTION_TIME({}) */ {rest}",
            limit.as_millis()
        ),
        // MySQL takes the hint at the beginning only; there the longest wait for an answer remains.
        None => format!("{limits}{sql}"),
    }
    .into()
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
            Value::Bytes(v) => bound.add(v.as_ref()),
        }
        .map_err(|e| Error::Database(e.to_string()))?;
    }
    Ok(match sql {
        Cow::Borrowed(text) => sqlx::query_with(text, bound),
        // Texts made at run time consist of constants and placeholders; values are always bound.
        Cow::Owned(text) => sqlx::query_with(AssertSqlSafe(text), bound),
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::limited;
    use crate::Store;
    use crate::conformance::mysql;
    use crate::error::Error;

    /// Takes minutes.
    const SLOW: &str = "SELECT COUNT(*) FROM information_schema.columns a, information_schema.columns b, \
         information_schema.columns c WHERE a.column_name > ?";

    #[tokio::test]
    async fn a_read_ends_at_its_limit_and_not_as_an_outage() {
        let database = mysql::fresh().await;
        let store = Store::open(&database.location()).await.unwrap();
        let began = Instant::now();
        let mut reader = store.db.reader(Duration::from_millis(200)).await.unwrap();
        let read = reader.fetch(SLOW, crate::sql::args!["a"]).await.map(|_| ());
        assert!(matches!(read, Err(Error::TimedOut(_))), "{read:?}");
        assert!(began.elapsed() < Duration::from_secs(5), "{began:?}");
        // The same connection goes on, without the limit of that statement.
        let read = reader.fetch("SELECT 1", vec![]).await.unwrap();
        assert_eq!(read.len(), 1);
    }

    #[tokio::test]
    async fn a_read_may_stop_in_the_middle() {
        let database = mysql::fresh().await;
        let store = Store::open(&database.location()).await.unwrap();
        let mut reader = store.reader().await.unwrap();
        for _ in 0..3 {
            let mut seen = Vec::new();
            let three = |row: crate::sql::Row| {
                seen.push(row.int(0)?);
                Ok(seen.len() < 3)
            };
            let sql = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 900) SELECT x FROM n";
            reader.fetch_while(sql, vec![], three).await.unwrap();
            assert_eq!(seen, [1, 2, 3]);
            let next = reader.fetch("SELECT 7", vec![]).await.unwrap();
            assert_eq!(next[0].int(0).unwrap(), 7);
        }
    }

    #[test]
    fn both_servers_are_told_the_limit() {
        let text = limited(Duration::from_millis(1_500), "SELECT 1".into());
        assert_eq!(
            text,
            "/*M!100100 SET STATEMENT max_statement_time=1.5 FOR */ SELECT /*+ MAX_EXECUTION_TIME(1500) */ 1"
        );
        let text = limited(
            Duration::from_secs(8),
            "WITH v AS (SELECT 1) SELECT 2".into(),
        );
        assert_eq!(
            text,
            "/*M!100100 SET STATEMENT max_statement_time=8 FOR */ WITH v AS (SELECT 1) SELECT 2"
        );
    }
}
