//! What a server's error numbers mean.

use std::io::ErrorKind;

use sqlx::mysql::MySqlDatabaseError;

use super::MySqlOptions;
use crate::error::Error;

/// When a connection was lost, what is known of what was sent on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Reading, or inside a transaction whose COMMIT was not sent: nothing was or will be done.
    Open,
    /// COMMIT, or a statement that is a transaction of its own, was sent.
    Committing,
}

/// The server's number of an error.
pub(super) fn number(error: &sqlx::Error) -> Option<u16> {
    match error {
        sqlx::Error::Database(db) => db
            .try_downcast_ref::<MySqlDatabaseError>()
            .map(MySqlDatabaseError::number),
        _ => None,
    }
}

/// Whether the connection cannot be used after this error.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(_) => number(error).is_some_and(|n| {
            matches!(
                n,
                // Server shutdown, forced close, aborted, gone, lost, killed, disconnected for being idle.
                1053 | 1080 | 1152 | 1153 | 1156..=1161 | 1184 | 1927 | 2006 | 2013 | 4031
            )
        }),
        // Input or output, or a stream of bytes that is no longer understood.
        _ => true,
    }
}

/// A failed statement.
pub(super) fn of_statement(error: &sqlx::Error, stage: Stage, sql: &str) -> Error {
    if is_lost(error) {
        return match (error, stage) {
            (sqlx::Error::Encode(_) | sqlx::Error::Decode(_) | sqlx::Error::Protocol(_), _) => {
                Error::Database(error.to_string())
            }
            (_, Stage::Open) => Error::rolled_back(error),
            (_, Stage::Committing) => Error::unknown(error),
        };
    }
    match number(error) {
        Some(1022 | 1062 | 1169 | 1586) => {
            violated(error, sql).unwrap_or_else(|| Error::Database(error.to_string()))
        }
        // A deadlock rolls the transaction back; the others its statement, and the rest is dropped by who runs it again:
        // lock wait timeout, a row that changed meanwhile, NOWAIT, statement interrupted.
        Some(1205 | 1213 | 1020 | 3572 | 1317) => Error::rolled_back(error),
        // max_statement_time, max_execution_time.
        Some(1969 | 3024) => Error::out_of_time(error),
        // Too many connections (of all, of this user), out of memory, threads, prepared statements or disk, read-only
        // (a failover under way), starting up or recovering.
        Some(
            1040 | 1203 | 1226 | 1037 | 1038 | 1041 | 1135 | 1461 | 1021 | 1114 | 3 | 28 | 1290
            | 1792 | 1836 | 1047 | 1180 | 1192 | 1206 | 3168 | 3169,
        ) => Error::away(error),
        _ => Error::Database(error.to_string()),
    }
}

/// `Duplicate entry '…' for key 'entries_seq'`, on MySQL 8 `'entries.entries_seq'`. The session's messages are English.
fn violated(error: &sqlx::Error, sql: &str) -> Option<Error> {
    let sqlx::Error::Database(db) = error else {
        return None;
    };
    let key = db.message().trim_end_matches('\'').rsplit('\'').next()?;
    let key = key.rsplit('.').next()?;
    if key != "PRIMARY" {
        return Error::constraint(|_, name| name == key);
    }
    // MariaDB does not say whose primary key.
    let table = sql.split_once("INTO ")?.1.split([' ', '(']).next()?;
    Error::constraint(|_, name| name == format!("{table}_id") || name == format!("{table}_pk"))
}

/// A connection that could not be made.
pub(super) fn of_connecting(error: &sqlx::Error, options: &MySqlOptions) -> Error {
    let MySqlOptions {
        host,
        port,
        username,
        dbname,
        ..
    } = options;
    let server = format!("{host}:{port}");
    match (error, number(error)) {
        (_, Some(1045 | 1698 | 1251 | 1862)) => Error::Setup(format!(
            "{server} refuses the user {username}: check the database's username and password ({error})"
        )),
        (_, Some(1044 | 1142 | 1227)) => Error::Setup(format!(
            "the user {username} may not use the database {dbname} at {server}: \
             GRANT ALL ON `{dbname}`.* TO the user ({error})"
        )),
        (_, Some(1049)) => Error::Setup(format!(
            "there is no database {dbname} at {server}: run `lingxi migrate` with the same configuration, \
             or have an administrator create it"
        )),
        (_, Some(1130)) => Error::Setup(format!(
            "{server} lets nobody in from this host: allow it for the user {username} ({error})"
        )),
        (_, Some(_)) => match of_statement(error, Stage::Open, "") {
            Error::Database(cause) => Error::Setup(format!("{server} refuses to connect: {cause}")),
            other => Error::away(format!("{server}: {other}")),
        },
        (sqlx::Error::Tls(cause), _) => Error::Setup(format!(
            "no encrypted connection to {server}: {cause}; check ssl-mode and ssl-ca"
        )),
        (sqlx::Error::Io(io), _) if is_unknown_host(io) => Error::Setup(format!(
            "there is no host {host}: {io}; check the database's host"
        )),
        (sqlx::Error::Io(io), _) => Error::away(format!(
            "{server} cannot be reached: {io}; is the database running?"
        )),
        _ => Error::Setup(format!(
            "{server} does not answer as a MySQL or MariaDB server: {error}"
        )),
    }
}

/// A name that was not resolved; the standard library has no kind for it.
fn is_unknown_host(io: &std::io::Error) -> bool {
    io.raw_os_error().is_none()
        && (io.kind() == ErrorKind::NotFound || io.to_string().contains("failed to lookup"))
}
