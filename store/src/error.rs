//! What can go wrong with the store, classified once.

/// A failed store operation. Causes are for logs; they never reach a client.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A unique constraint, by its name (`users_username_key`, `entries_msg_id`, …).
    #[error("constraint {0} is violated")]
    Constraint(&'static str),
    /// The caller no longer holds the lease or the attempt that it writes under; nothing was written.
    #[error("fenced off: another owner took over")]
    Fenced,
    /// The database is busy or away; trying again may help.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// What was read does not fit what this version expects.
    #[error("the database holds what this version does not understand: {0}")]
    Corrupt(String),
    /// The database cannot be used as it is; the text says what to do.
    #[error("{0}")]
    Setup(String),
    /// Any other failure of the database.
    #[error("the database failed: {0}")]
    Database(String),
}

/// Columns of each unique constraint, as SQLite reports it, and its name, as MySQL reports it.
const CONSTRAINTS: &[(&str, &str)] = &[
    ("users.username_key", "users_username_key"),
    ("entries.id", "entries_id"),
    ("entries.conversation, entries.seq", "entries_seq"),
    (
        "entries.conversation, entries.sender_id, entries.msg_id",
        "entries_msg_id",
    ),
    ("members.conversation, members.user_id", "members_pk"),
    ("runs.user_id, runs.idempotency_key", "runs_idempotency_key"),
    (
        "run_effects.run_id, run_effects.step, run_effects.ordinal",
        "run_effects_pk",
    ),
    ("run_steps.run_id, run_steps.step", "run_steps_pk"),
];

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(db) if db.is_unique_violation() => {
                let message = db.message();
                let known = CONSTRAINTS
                    .iter()
                    .find(|(columns, name)| message.ends_with(columns) || message.contains(name));
                known.map_or_else(
                    || Self::Database(error.to_string()),
                    |&(_, name)| Self::Constraint(name),
                )
            }
            // SQLITE_BUSY, _LOCKED, _IOERR and _FULL in their primary and extended forms: no fault of what was written.
            sqlx::Error::Database(db)
                if db
                    .code()
                    .and_then(|c| c.parse::<i32>().ok())
                    .is_some_and(|c| matches!(c & 0xff, 5 | 6 | 10 | 13)) =>
            {
                Self::Unavailable(error.to_string())
            }
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Io(_)
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error.to_string()),
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::ColumnIndexOutOfBounds { .. } => Self::Corrupt(error.to_string()),
            _ => Self::Database(error.to_string()),
        }
    }
}

/// Results of store operations.
pub type Result<T> = std::result::Result<T, Error>;
