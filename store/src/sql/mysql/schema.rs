//! The schema: checked when a database is opened, changed only by `lingxi migrate`.

use std::time::Duration;

use sqlx::migrate::{Migrate as _, MigrateError, Migrator};
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection as _};

use super::failure::{self, Stage};
use super::{MySqlOptions, connect, server};
use crate::error::{Error, Result};

pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/mysql");

const TABLE: &str = "_sqlx_migrations";
/// The longest wait for another one who migrates.
const LOCK_S: u32 = 60;

/// Whether the schema is the one that this build was made for.
pub(super) async fn check(conn: &mut MySqlConnection, options: &MySqlOptions) -> Result<()> {
    let run = "run `lingxi migrate` with the same configuration";
    let place = options.place();
    let applied = match applied(conn).await {
        Ok(applied) => applied,
        Err(error) if failure::number(&error) == Some(1146) => {
            return Err(Error::Setup(format!(
                "the database {place} has no Lingxi schema: {run}"
            )));
        }
        Err(error) => return Err(failure::of_statement(&error, Stage::Open, "")),
    };
    for migration in MIGRATIONS.iter() {
        let number = migration.version;
        match applied.iter().find(|(version, ..)| *version == number) {
            None if applied.is_empty() => {
                return Err(Error::Setup(format!(
                    "the database {place} has no Lingxi schema: {run}"
                )));
            }
            None => {
                return Err(Error::Setup(format!(
                    "the database {place} lacks migration {number}: {run}"
                )));
            }
            Some((_, false, _)) => return Err(half_done(options, number)),
            Some((_, true, checksum)) if **checksum != *migration.checksum => {
                return Err(differs(options, number));
            }
            Some(_) => {}
        }
    }
    match applied
        .iter()
        .find(|(v, ..)| !MIGRATIONS.version_exists(*v))
    {
        Some((version, ..)) => Err(newer(options, *version)),
        None => Ok(()),
    }
}

async fn applied(
    conn: &mut MySqlConnection,
) -> std::result::Result<Vec<(i64, bool, Vec<u8>)>, sqlx::Error> {
    let sql = format!("SELECT version, success, checksum FROM {TABLE} ORDER BY version");
    sqlx::query_as(AssertSqlSafe(sql)).fetch_all(conn).await
}

/// Makes the database if the user may, and brings its schema up to date; answers the numbers of what was applied now.
/// Several at once wait for each other.
pub(crate) async fn migrate(options: &MySqlOptions) -> Result<Vec<i64>> {
    let mut conn = match connect::connect(options, true).await {
        Err(Error::Setup(absent)) => {
            let mut conn = connect::connect(options, false).await?;
            server::check_version(&mut conn, options).await?;
            create(&mut conn, options, absent).await?;
            connect::connect(options, true).await?
        }
        other => other?,
    };
    server::check_version(&mut conn, options).await?;
    let outcome = migrate_on(&mut conn, options).await;
    let _ = conn.close().await;
    outcome
}

async fn create(conn: &mut MySqlConnection, options: &MySqlOptions, absent: String) -> Result<()> {
    let name = options.dbname.replace('`', "``");
    let sql =
        format!("CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
    match sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await {
        Ok(_) => Ok(()),
        Err(error) if failure::number(&error) == Some(1044) => Err(Error::Setup(format!(
            "{absent}; the user {} may not create it",
            options.username
        ))),
        Err(error) => Err(failure::of_statement(&error, Stage::Open, "")),
    }
}

async fn migrate_on(conn: &mut MySqlConnection, options: &MySqlOptions) -> Result<Vec<i64>> {
    let failed = |error: &sqlx::Error| failure::of_statement(error, Stage::Open, "");
    // An index on a large table takes its time, and so may another one who migrates.
    let lock = "SELECT GET_LOCK(CONCAT('lingxi-migrate:', LEFT(SHA2(DATABASE(), 256), 40)), ?)";
    let locked: Option<i64> = sqlx::query_scalar(lock)
        .bind(LOCK_S)
        .fetch_one(&mut *conn)
        .await
        .map_err(|e| failed(&e))?;
    if locked != Some(1) {
        return Err(Error::away(format!(
            "the database {} is being migrated by somebody else for over {:?}",
            options.place(),
            Duration::from_secs(LOCK_S.into())
        )));
    }
    conn.ensure_migrations_table(TABLE)
        .await
        .map_err(|e| described(options, e))?;
    let before = applied(conn).await.map_err(|e| failed(&e))?;
    if let Some((version, ..)) = before.iter().find(|(_, done, _)| !done) {
        return Err(half_done(options, *version));
    }
    if let Some((version, ..)) = before.iter().find(|(v, ..)| !MIGRATIONS.version_exists(*v)) {
        return Err(newer(options, *version));
    }
    let mut now = Vec::new();
    for migration in MIGRATIONS.iter() {
        match before.iter().find(|(v, ..)| *v == migration.version) {
            Some((.., checksum)) if **checksum != *migration.checksum => {
                return Err(differs(options, migration.version));
            }
            Some(_) => {}
            None => {
                conn.apply(TABLE, migration)
                    .await
                    .map_err(|e| described(options, e))?;
                now.push(migration.version);
            }
        }
    }
    Ok(now)
}

fn described(options: &MySqlOptions, error: MigrateError) -> Error {
    Error::Setup(format!(
        "the schema of {} cannot be brought up to date: {error}",
        options.place()
    ))
}

fn newer(options: &MySqlOptions, version: i64) -> Error {
    Error::Setup(format!(
        "the database {} has migration {version}, which this build does not know: run a newer lingxi",
        options.place()
    ))
}

fn half_done(options: &MySqlOptions, version: i64) -> Error {
    Error::Setup(format!(
        "migration {version} of the database {} was cut off: MySQL cannot roll a schema change back. Undo what it did, \
         delete its row from {TABLE}, and run `lingxi migrate` again",
        options.place()
    ))
}

fn differs(options: &MySqlOptions, version: i64) -> Error {
    Error::Setup(format!(
        "migration {version} of the database {} is not the one of this build: use the build that made the schema",
        options.place()
    ))
}
