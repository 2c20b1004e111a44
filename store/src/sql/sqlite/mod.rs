//! SQLite by sqlx: one writer, many readers, WAL, and a commit that is on the disk when it returns.

use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::migrate::Migrator;
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Arguments, AssertSqlSafe, Sqlite, SqliteConnection, SqlitePool, Transaction};

use super::{Conn, Done, Row, Value};
use crate::Durability;
use crate::error::{Error, Result};

pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

const READERS: u32 = 4;
/// Pages of the write-ahead log after which it is copied back: 16 MiB, so that hot pages are copied seldom.
const CHECKPOINT_PAGES: u32 = 4096;

/// The writer and the readers of one database file.
#[derive(Clone)]
pub(crate) struct Pools {
    writer: SqlitePool,
    readers: SqlitePool,
}

pub(crate) type Reader = PoolConnection<Sqlite>;
pub(crate) type Writer = Transaction<'static, Sqlite>;

/// Brings the schema of a file up to date (opening it does, too); answers the numbers of what was applied now.
pub(crate) async fn migrate(path: &Path) -> Result<Vec<i64>> {
    let before = Pools::applied(path).await?;
    let pools = Pools::open(path).await?;
    pools.close().await;
    let all = MIGRATIONS.iter().map(|m| m.version);
    Ok(all.filter(|version| !before.contains(version)).collect())
}

/// What [`Pools::open`] has read back.
pub(crate) fn durability() -> Durability {
    Durability {
        summary: "SQLite WAL, synchronous=FULL".into(),
        safe: true,
    }
}

pub(crate) async fn fetch(
    conn: &mut SqliteConnection,
    sql: Cow<'static, str>,
    args: Vec<Value<'_>>,
) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut stream = query(sql, args)?.fetch(conn);
    while let Some(row) = stream.try_next().await? {
        rows.push(Row::Sqlite(row));
    }
    Ok(rows)
}

pub(crate) async fn execute(
    conn: &mut SqliteConnection,
    sql: Cow<'static, str>,
    args: Vec<Value<'_>>,
) -> Result<Done> {
    let done = query(sql, args)?.execute(conn).await?;
    Ok(Done {
        found: done.rows_affected(),
        number: done.last_insert_rowid(),
    })
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
        }
        .map_err(|e| Error::Database(e.to_string()))?;
    }
    Ok(match sql {
        Cow::Borrowed(text) => sqlx::query_with(text, bound),
        // Texts made at run time consist of constants and placeholders; values are always bound.
        Cow::Owned(text) => sqlx::query_with(AssertSqlSafe(text), bound),
    })
}

impl Pools {
    /// Opens (and makes) the file, brings its schema up to date, and checks that commits reach the disk.
    pub(crate) async fn open(path: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5))
            .statement_cache_capacity(256)
            .row_buffer_size(512)
            .pragma("temp_store", "memory");
        let writer = SqlitePoolOptions::new()
            .min_connections(1)
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(
                options
                    .clone()
                    .pragma("wal_autocheckpoint", CHECKPOINT_PAGES.to_string())
                    .pragma("cache_size", "-16384"),
            )
            .await?;
        MIGRATIONS.run(&writer).await.map_err(|e| {
            Error::Setup(format!(
                "the schema of {} cannot be brought up to date: {e}",
                path.display()
            ))
        })?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(
                options
                    .pragma("query_only", "on")
                    .pragma("cache_size", "-4096"),
            )
            .await?;
        let pools = Self { writer, readers };
        pools.check_durability(path).await?;
        Ok(pools)
    }

    /// The migrations that a file has; none where there is no file.
    async fn applied(path: &Path) -> Result<Vec<i64>> {
        if !path.exists() {
            return Ok(Vec::new());
        }
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        let pool = SqlitePoolOptions::new().connect_with(options).await?;
        let sql = "SELECT version FROM _sqlx_migrations WHERE success";
        let found = sqlx::query_scalar(sql).fetch_all(&pool).await;
        pool.close().await;
        // An empty file has no such table.
        Ok(found.unwrap_or_default())
    }

    /// Reads back what an ACK relies on; refuses to run without it.
    async fn check_durability(&self, path: &Path) -> Result<()> {
        let mut tx = self.begin().await?;
        let mode = tx.fetch_one("PRAGMA journal_mode", vec![]).await?;
        let mode = mode.map_or(Ok(String::new()), |r| r.text(0))?;
        let synchronous = tx.fetch_one("PRAGMA synchronous", vec![]).await?;
        let synchronous = synchronous.map_or(Ok(0), |r| r.int(0))?;
        if mode != "wal" || synchronous < 2 {
            return Err(Error::Setup(format!(
                "{} runs with journal_mode={mode}, synchronous={synchronous}: a commit would not be safe on the disk. \
                 Put the data folder on a local file system that supports SQLite's WAL.",
                path.display()
            )));
        }
        tracing::debug!(journal_mode = %mode, synchronous, "commits reach the disk before they are acknowledged");
        Ok(())
    }

    pub(crate) async fn reader(&self) -> Result<Conn> {
        Ok(Conn::SqliteReader(self.readers.acquire().await?))
    }

    pub(crate) async fn begin(&self) -> Result<Conn> {
        Ok(Conn::SqliteTx(
            self.writer.begin_with("BEGIN IMMEDIATE").await?,
        ))
    }

    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}
