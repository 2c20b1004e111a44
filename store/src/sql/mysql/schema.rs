//! The schema: checked when a database is opened, changed only by `lingxi migrate`.

use std::time::Duration;

use sqlx::migrate::{Migrate as _, MigrateError};
use sqlx::mysql::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection as _};

use super::failure::{self, Stage};
use super::version::check_version;
use super::{MySqlOptions, connect};
use crate::Migrated;
use crate::error::{Error, Result};
use crate::sql::compatibility::{self, Recorded, Schema};
use crate::sql::migrations::MYSQL as MIGRATIONS;

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
    suits(conn, options, &applied).await.map(|_| ())
}

/// Whether this build can use what it does not know of the schema; answers what the schema says of itself.
async fn suits(
    conn: &mut MySqlConnection,
    options: &MySqlOptions,
    applied: &[(i64, bool, Vec<u8>)],
) -> Result<Migrated> {
    if let Some((version, ..)) = applied.iter().find(|(_, done, _)| !done) {
        return Err(half_done(options, *version));
    }
    let applied: Vec<i64> = applied.iter().map(|(version, ..)| *version).collect();
    let schema = Schema {
        known: &MIGRATIONS,
        applied: &applied,
        recorded: recorded(conn).await?,
    };
    schema.check(&options.place())?;
    Ok(Migrated {
        applied: Vec::new(),
        newer: schema.newer(),
    })
}

/// What each migration said when it was applied; an older schema has no table of that.
async fn recorded(conn: &mut MySqlConnection) -> Result<Recorded> {
    match sqlx::query_as(compatibility::READ).fetch_all(conn).await {
        Err(error) if failure::number(&error) == Some(1146) => Ok(Recorded::new()),
        found => found.map_err(|e| failure::of_statement(&e, Stage::Open, "")),
    }
}

async fn applied(
    conn: &mut MySqlConnection,
) -> std::result::Result<Vec<(i64, bool, Vec<u8>)>, sqlx::Error> {
    let sql = format!("SELECT version, success, checksum FROM {TABLE} ORDER BY version");
    sqlx::query_as(AssertSqlSafe(sql)).fetch_all(conn).await
}

/// Makes the database if the user may, and brings its schema up to date. Several at once wait for each other.
pub(crate) async fn migrate(options: &MySqlOptions) -> Result<Migrated> {
    let mut conn = match connect::connect(options, true).await {
        Err(Error::Setup(absent)) => {
            let mut conn = connect::connect(options, false).await?;
            check_version(&mut conn, options).await?;
            create(&mut conn, options, absent).await?;
            connect::connect(options, true).await?
        }
        other => other?,
    };
    check_version(&mut conn, options).await?;
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

async fn migrate_on(conn: &mut MySqlConnection, options: &MySqlOptions) -> Result<Migrated> {
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
    let mut migrated = suits(conn, options, &before).await?;
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
                migrated.applied.push(migration.version);
            }
        }
    }
    record(conn).await?;
    Ok(migrated)
}

/// Writes down whom the schema suits, where the database does not say so yet.
async fn record(conn: &mut MySqlConnection) -> Result<()> {
    let schema = Schema {
        known: &MIGRATIONS,
        applied: &[],
        recorded: recorded(conn).await?,
    };
    for (version, from) in schema.unrecorded() {
        let row = sqlx::query(compatibility::RECORD_MYSQL)
            .bind(version)
            .bind(from);
        let kept = row.execute(&mut *conn).await;
        kept.map_err(|e| failure::of_statement(&e, Stage::Open, ""))?;
    }
    Ok(())
}

fn described(options: &MySqlOptions, error: MigrateError) -> Error {
    Error::Setup(format!(
        "the schema of {} cannot be brought up to date: {error}",
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
