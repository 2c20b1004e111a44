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

/// Whether it is the server's disk that failed.
pub(super) fn is_of_the_disk(error: &sqlx::Error) -> bool {
    number(error).is_some_and(is_disk)
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
    match number(error).map(meaning) {
        Some(Meaning::Violated) => {
            violated(error, sql).unwrap_or_else(|| Error::Database(error.to_string()))
        }
        Some(Meaning::RolledBack) => Error::rolled_back(error),
        Some(Meaning::TooLong) => Error::out_of_time(error),
        // A full disk under a commit: the log may hold it.
        Some(Meaning::Away) if stage == Stage::Committing && is_of_the_disk(error) => {
            Error::unknown(error)
        }
        Some(Meaning::Away) => Error::away(error),
        Some(Meaning::Wrong) | None => Error::Database(error.to_string()),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// A unique key.
    Violated,
    /// The same again may succeed at once.
    RolledBack,
    /// It took longer than a statement may.
    TooLong,
    /// The server cannot do it now.
    Away,
    /// What was asked.
    Wrong,
}

/// What an error number means, of those that leave the connection as it was.
fn meaning(number: u16) -> Meaning {
    match number {
        1022 | 1062 | 1169 | 1586 => Meaning::Violated,
        // A deadlock rolls the transaction back; the others its statement, and the rest is dropped by who runs it again:
        // lock wait timeout, a row that changed meanwhile, NOWAIT, statement interrupted by somebody.
        1205 | 1213 | 1020 | 3572 | 1317 => Meaning::RolledBack,
        // max_statement_time, max_execution_time.
        1969 | 3024 => Meaning::TooLong,
        // Too many connections (of all, of this user), out of memory, sort memory, resources, threads, prepared
        // statements.
        1040 | 1203 | 1226 | 1037 | 1038 | 1041 | 1135 | 1461 | 1206 | 3168 | 3169 => Meaning::Away,
        // The table or the undo log is full, a transaction's log has outgrown its cache, a commit or a rollback failed.
        1114 | 1713 | 1197 | 1180 | 1181 => Meaning::Away,
        // Read-only: by option, by transaction, by the storage engine's mode (a failover under way).
        1290 | 1792 | 1836 => Meaning::Away,
        // Locked for a backup, a node that is not ready (Galera), LOCK TABLES.
        1192 | 1099 | 1047 | 1223 => Meaning::Away,
        number if is_disk(number) => Meaning::Away,
        _ => Meaning::Wrong,
    }
}

/// The server's disk: full, or it fails. Numbers under 200 are those of its operating system and its storage engines.
fn is_disk(number: u16) -> bool {
    matches!(
        number,
        // Create, write and so on of a file (EE_…), ENOSPC, EIO, EROFS, EDQUOT; 135: no room in a table's file.
        1..=7 | 9 | 20..=24 | 28 | 30 | 122 | 135
            // ER_CANT_CREATE_FILE, _CREATE_TABLE, _DELETE, _OPEN_FILE, disk full, _ERROR_ON_CLOSE, _READ, _RENAME,
            // _WRITE, get errno, open a table's file, its crash.
            | 1004 | 1005 | 1011 | 1016 | 1021 | 1023 | 1024 | 1025 | 1026 | 1030
            | 1114 | 1194 | 1195
            // The binary log.
            | 1590 | 1598 | 3522
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_that_is_met_has_its_meaning() {
        let table: &[(Meaning, &[u16])] = &[
            (Meaning::Violated, &[1062, 1022, 1169, 1586]),
            (Meaning::RolledBack, &[1205, 1213, 1020, 3572, 1317]),
            (Meaning::TooLong, &[1969, 3024]),
            // Too many, too little memory.
            (
                Meaning::Away,
                &[1040, 1203, 1226, 1037, 1038, 1041, 1135, 1461],
            ),
            // Full or failing disks.
            (
                Meaning::Away,
                &[3, 28, 1021, 1026, 1114, 1030, 1016, 1004, 1024],
            ),
            // Read-only, locked for a backup, a node that is not ready.
            (Meaning::Away, &[1290, 1792, 1836, 1223, 1047]),
            // What was asked was wrong: no table, no column, syntax, too long, out of range, deprecated, denied.
            (
                Meaning::Wrong,
                &[1146, 1054, 1064, 1406, 1264, 1287, 1142, 1366, 1048],
            ),
        ];
        for (expected, numbers) in table {
            for &number in *numbers {
                assert_eq!(meaning(number), *expected, "{number}");
            }
        }
    }
}
