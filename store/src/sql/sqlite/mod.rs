//! SQLite by sqlx: one writer, many readers, WAL, and a commit that is on the disk when it returns.

mod deadline;
mod failure;
mod files;
mod pool;
mod schema;
mod session;
#[cfg(test)]
mod tests;
mod together;

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use crate::error::{Error, Result};
use crate::limits::SEARCHES;
use crate::{Durability, Migrated};
use pool::Pool;
pub(crate) use session::Session;
pub(crate) use together::{Packed, Shape};

/// Connections that read.
const READERS: u32 = 4;
/// Pages of the write-ahead log after which it is copied back: 16 MiB, so that hot pages are copied seldom.
const CHECKPOINT_PAGES: u32 = 4096;
/// What the write-ahead log is cut to when it was copied back, in bytes: one that had to grow gives its room back.
const LOG_BYTES: u32 = 64 << 20;
/// Rows read ahead of who takes them: few, since each may hold a message of the longest kind.
const ROWS_AHEAD: usize = 32;

/// The writer and the readers of one database file.
#[derive(Clone)]
pub(crate) struct Pools {
    writer: Pool,
    readers: Pool,
    searchers: Pool,
}

/// Brings the schema of a file up to date; opening it does, too.
pub(crate) async fn migrate(path: &Path) -> Result<Migrated> {
    schema::migrate(path, &options(path)).await
}

/// What [`Pools::open`] has read back.
pub(crate) fn durability() -> Durability {
    Durability {
        summary: "SQLite WAL, synchronous=FULL".into(),
        safe: true,
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(5))
        .statement_cache_capacity(256)
        .row_buffer_size(ROWS_AHEAD)
        .pragma("temp_store", "memory")
        .pragma("journal_size_limit", LOG_BYTES.to_string())
}

impl Pools {
    /// Opens (and makes) the file for its owner alone, brings its schema up to date, and checks that commits reach the
    /// disk.
    pub(crate) async fn open(path: &Path) -> Result<Self> {
        let options = options(path);
        schema::migrate(path, &options).await?;
        check_durability(path, &options).await?;
        // With a quarter of it the p99 of a delivery is 1.4 times as long: docs/BENCHMARKS.md.
        let writing = options
            .clone()
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES.to_string())
            .pragma("cache_size", "-65536");
        let reading = options
            .pragma("query_only", "on")
            .pragma("cache_size", "-4096");
        let searching = reading.clone().pragma("cache_size", "-16384");
        Ok(Self {
            writer: Pool::new(writing, 1, false),
            readers: Pool::new(reading, READERS as usize, true),
            searchers: Pool::new(searching, SEARCHES, true),
        })
    }

    pub(crate) async fn reader(&self, limit: Duration) -> Result<Session> {
        Session::reader(&self.readers, limit).await
    }

    pub(crate) async fn searcher(&self, limit: Duration) -> Result<Session> {
        Session::reader(&self.searchers, limit).await
    }

    pub(crate) async fn begin(&self) -> Result<Session> {
        Session::begin(&self.writer).await
    }

    pub(crate) async fn close(&self) {
        self.readers.close(READERS).await;
        self.searchers.close(SEARCHES as u32).await;
        self.writer.close(1).await;
    }
}

/// Reads back what an ACK relies on; refuses to run without it.
async fn check_durability(path: &Path, options: &SqliteConnectOptions) -> Result<()> {
    let failed = |error| failure::of_opening(path, error);
    let mut conn = options.connect().await.map_err(failed)?;
    let read = sqlx::query(
        "SELECT j.journal_mode, s.synchronous FROM pragma_journal_mode j, pragma_synchronous s",
    );
    let row = read.fetch_one(&mut conn).await.map_err(failed)?;
    let mode: String = row.try_get(0)?;
    let synchronous: i64 = row.try_get(1)?;
    conn.close().await.map_err(failed)?;
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
