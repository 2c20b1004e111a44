//! The schema of a file: brought up to date whenever it is opened.

use std::path::Path;

use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use super::{failure, files};
use crate::Migrated;
use crate::error::{Error, Result};
use crate::sql::compatibility::{self, Recorded, Schema};
use crate::sql::migrations::SQLITE as MIGRATIONS;

/// Makes the file if there is none, for its owner alone, and applies what it lacks. A schema
/// that is newer than this build and says that it suits it is left as it is.
///
/// # Errors
/// [`Error::Setup`] for a newer schema that does not suit this build, and for a file that cannot be opened.
pub(super) async fn migrate(path: &Path, options: &SqliteConnectOptions) -> Result<Migrated> {
    files::make_private(path)?;
    let opened = options.connect().await;
    let mut conn = opened.map_err(|error| failure::of_opening(path, error))?;
    let outcome = bring_up_to_date(&mut conn, path).await;
    let _ = conn.close().await;
    outcome
}

async fn bring_up_to_date(conn: &mut SqliteConnection, path: &Path) -> Result<Migrated> {
    let place = path.display().to_string();
    let before = applied(conn).await;
    let schema = Schema {
        known: &MIGRATIONS,
        applied: &before,
        recorded: recorded(conn).await,
    };
    schema.check(&place)?;
    // What is applied and not known here has just been found to suit.
    let migrator = Migrator {
        migrations: std::borrow::Cow::Borrowed(&MIGRATIONS.migrations),
        ignore_missing: true,
        ..Migrator::DEFAULT
    };
    migrator.run(&mut *conn).await.map_err(|error| {
        Error::Setup(format!(
            "the schema of {place} cannot be brought up to date: {error}"
        ))
    })?;
    for (version, from) in schema.unrecorded() {
        let kept = sqlx::query(compatibility::RECORD_SQLITE)
            .bind(version)
            .bind(from)
            .execute(&mut *conn)
            .await;
        kept.map_err(|error| failure::of_opening(path, error))?;
    }
    let all = MIGRATIONS.iter().map(|m| m.version);
    Ok(Migrated {
        applied: all.filter(|version| !before.contains(version)).collect(),
        newer: schema.newer(),
    })
}

/// The migrations that the file has; a new one has no table of them.
async fn applied(conn: &mut SqliteConnection) -> Vec<i64> {
    let sql = "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version";
    let found = sqlx::query_scalar(sql).fetch_all(conn).await;
    found.unwrap_or_default()
}

/// What each migration said when it was applied; an older schema has no table of that.
async fn recorded(conn: &mut SqliteConnection) -> Recorded {
    let found = sqlx::query_as(compatibility::READ).fetch_all(conn).await;
    found.unwrap_or_default()
}
