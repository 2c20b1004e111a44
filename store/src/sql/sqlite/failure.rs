//! What SQLite's error codes mean.

use crate::error::{Error, Result};

/// What a failed statement had begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Anything but COMMIT: nothing of it stays, since its transaction is given up with its connection.
    Open,
    /// COMMIT. Its frames may stand in the write-ahead log although an error was told: only recovery decides.
    Committing,
}

/// The primary code of an error of SQLite itself.
fn code(error: &sqlx::Error) -> Option<i32> {
    match error {
        sqlx::Error::Database(db) => db.code()?.parse::<i32>().ok().map(|code| code & 0xff),
        _ => None,
    }
}

/// Whether the connection is as it was before: the statement alone did nothing. After anything else SQLite may have rolled
/// the transaction back by itself, or the handle may be of no use, so that the connection is thrown away.
pub(super) fn leaves_connection_sound(error: &sqlx::Error) -> bool {
    // ERROR (a wrong statement), BUSY, LOCKED, TOOBIG, CONSTRAINT, MISMATCH.
    matches!(code(error), Some(1 | 5 | 6 | 18 | 19 | 20))
}

/// Whether it is the disk or the memory that fails, not what was asked.
pub(super) fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(_) => code(error).is_some_and(|code| {
            // PERM, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOLFS, NOTADB.
            matches!(code, 3 | 7 | 8 | 10 | 11 | 13 | 14 | 15 | 22 | 26)
        }),
        sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}

/// A failed statement.
pub(super) fn of_statement(error: sqlx::Error, stage: Stage) -> Error {
    if let sqlx::Error::Database(db) = &error
        && db.is_unique_violation()
    {
        let message = db.message();
        return Error::constraint(|columns, _| message.ends_with(columns))
            .unwrap_or_else(|| Error::Database(error.to_string()));
    }
    match code(&error) {
        // INTERRUPT: by the statement limit of readers; nothing else interrupts.
        Some(9) => return Error::out_of_time(error),
        // BUSY, LOCKED: another process kept its lock for longer than we wait.
        Some(5 | 6) => return Error::away(error),
        // FULL: the disk took no more writes. The commit's record is the last that is written, so it is not there.
        Some(13) => return Error::away(error),
        _ => {}
    }
    match stage {
        Stage::Open if is_outage(&error) => Error::away(error),
        Stage::Committing if is_outage(&error) => Error::unknown(error),
        _ => Error::from(error),
    }
}

/// What failed while a file was opened, in words that say what to do.
pub(super) fn of_opening(path: &std::path::Path, error: sqlx::Error) -> Error {
    Error::Setup(format!(
        "{} cannot be opened: {error}; it must be a SQLite file in a folder that this user may write, on a disk with room",
        path.display()
    ))
}

/// As [`of_statement`], for the answer of one.
pub(super) fn checked<T>(outcome: std::result::Result<T, sqlx::Error>, stage: Stage) -> Result<T> {
    outcome.map_err(|error| of_statement(error, stage))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::error::Error as StdError;
    use std::fmt;

    use sqlx::error::{DatabaseError, ErrorKind};

    use super::*;

    /// An error as the driver reports it.
    #[derive(Debug)]
    struct Coded(i32);

    impl fmt::Display for Coded {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "code {}", self.0)
        }
    }

    impl StdError for Coded {}

    impl DatabaseError for Coded {
        fn message(&self) -> &str {
            "UNIQUE constraint failed: entries.id"
        }
        fn code(&self) -> Option<Cow<'_, str>> {
            Some(self.0.to_string().into())
        }
        fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
            self
        }
        fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
            self
        }
        fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
            self
        }
        fn kind(&self) -> ErrorKind {
            match self.0 {
                2067 | 1555 => ErrorKind::UniqueViolation,
                _ => ErrorKind::Other,
            }
        }
    }

    /// Every primary code of SQLite, and some extended ones: (code, whether the connection stays, what a statement and
    /// what a COMMIT that fails with it come to).
    const TABLE: &[(i32, bool, &str, &str)] = &[
        (1, true, "wrong", "wrong"),      // ERROR
        (2, false, "wrong", "wrong"),     // INTERNAL
        (3, false, "away", "unknown"),    // PERM
        (4, false, "wrong", "wrong"),     // ABORT
        (5, true, "away", "away"),        // BUSY
        (517, true, "away", "away"),      // BUSY_SNAPSHOT
        (6, true, "away", "away"),        // LOCKED
        (7, false, "away", "unknown"),    // NOMEM
        (8, false, "away", "unknown"),    // READONLY
        (1032, false, "away", "unknown"), // READONLY_DBMOVED
        (9, false, "late", "late"),       // INTERRUPT
        (10, false, "away", "unknown"),   // IOERR
        (778, false, "away", "unknown"),  // IOERR_WRITE
        (1034, false, "away", "unknown"), // IOERR_FSYNC
        (4874, false, "away", "unknown"), // IOERR_SHMSIZE
        (11, false, "away", "unknown"),   // CORRUPT
        (12, false, "wrong", "wrong"),    // NOTFOUND
        (13, false, "away", "away"),      // FULL
        (14, false, "away", "unknown"),   // CANTOPEN
        (15, false, "away", "unknown"),   // PROTOCOL
        (16, false, "wrong", "wrong"),    // EMPTY
        (17, false, "wrong", "wrong"),    // SCHEMA
        (18, true, "wrong", "wrong"),     // TOOBIG
        (19, true, "wrong", "wrong"),     // CONSTRAINT
        (2067, true, "taken", "taken"),   // CONSTRAINT_UNIQUE
        (1555, true, "taken", "taken"),   // CONSTRAINT_PRIMARYKEY
        (20, true, "wrong", "wrong"),     // MISMATCH
        (21, false, "wrong", "wrong"),    // MISUSE
        (22, false, "away", "unknown"),   // NOLFS
        (23, false, "wrong", "wrong"),    // AUTH
        (24, false, "wrong", "wrong"),    // FORMAT
        (25, false, "wrong", "wrong"),    // RANGE
        (26, false, "away", "unknown"),   // NOTADB
    ];

    fn kind(error: &Error) -> &'static str {
        match error {
            Error::Unavailable(outage) if outage.is_unknown() => "unknown",
            Error::Unavailable(_) if !error.was_rolled_back() => "away",
            Error::TimedOut(_) => "late",
            Error::Constraint("entries_id") => "taken",
            Error::Database(_) => "wrong",
            _ => "?",
        }
    }

    #[test]
    fn every_code_has_its_meaning() {
        for &(code, stays, stated, committing) in TABLE {
            let error = || sqlx::Error::Database(Box::new(Coded(code)));
            assert_eq!(leaves_connection_sound(&error()), stays, "{code}");
            let open = of_statement(error(), Stage::Open);
            assert_eq!(kind(&open), stated, "{code}: {open:?}");
            let commit = of_statement(error(), Stage::Committing);
            assert_eq!(kind(&commit), committing, "COMMIT: {code}: {commit:?}");
        }
        let crashed = of_statement(sqlx::Error::WorkerCrashed, Stage::Open);
        assert_eq!(kind(&crashed), "away");
        assert!(!leaves_connection_sound(&sqlx::Error::WorkerCrashed));
    }
}
