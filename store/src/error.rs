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
    Unavailable(Outage),
    /// A statement took longer than it may, or waited too long for its turn; nothing of its transaction was done, and the
    /// database itself is well. The same again would take as long; less at once may be done in that time.
    #[error("the statement took longer than it may: {0}")]
    TimedOut(String),
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

/// Why the database was not available, and what that means for what was asked of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct Outage {
    effect: Effect,
    cause: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// Nothing of the transaction was done, and it did not lie with the database as a whole: the same again may succeed
    /// at once.
    RolledBack,
    /// Nothing was done; the database cannot be reached, is overloaded, or cannot write (a full or failing disk).
    Away,
    /// The connection was lost, or the disk failed, while a commit was under way.
    Unknown,
}

impl Outage {
    /// Whether it is unknown if the transaction was committed: its connection was lost, or the disk failed, during the
    /// commit.
    pub fn is_unknown(&self) -> bool {
        self.effect == Effect::Unknown
    }
}

impl Error {
    pub(crate) fn away(cause: impl ToString) -> Self {
        Self::outage(Effect::Away, cause)
    }

    pub(crate) fn rolled_back(cause: impl ToString) -> Self {
        Self::outage(Effect::RolledBack, cause)
    }

    pub(crate) fn out_of_time(cause: impl ToString) -> Self {
        Self::TimedOut(cause.to_string())
    }

    pub(crate) fn unknown(cause: impl ToString) -> Self {
        Self::outage(Effect::Unknown, cause)
    }

    fn outage(effect: Effect, cause: impl ToString) -> Self {
        let cause = cause.to_string();
        Self::Unavailable(Outage { effect, cause })
    }

    /// Whether the transaction was rolled back whole, for reasons that lie with others: a deadlock, a lock wait, a lost
    /// connection. Running it again from its beginning is safe. The store's own transactions were, before this is seen.
    pub fn was_rolled_back(&self) -> bool {
        matches!(self, Self::Unavailable(outage) if outage.effect == Effect::RolledBack)
    }

    /// Whether nothing was done because a statement ran out of the time that it is given: less at once may be done in
    /// that time.
    pub fn timed_out(&self) -> bool {
        matches!(self, Self::TimedOut(_))
    }

    /// As [`Outage::is_unknown`].
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unavailable(outage) if outage.is_unknown())
    }
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

impl Error {
    /// A violated unique constraint, by its name or as SQLite tells its columns; `None` for one that nobody expects.
    pub(crate) fn constraint(matches: impl Fn(&str, &str) -> bool) -> Option<Self> {
        let known = CONSTRAINTS
            .iter()
            .find(|(columns, name)| matches(columns, name));
        known.map(|&(_, name)| Self::Constraint(name))
    }
}

impl From<sqlx::Error> for Error {
    /// Failures that no database has to itself. Those of statements are told apart in `sql/sqlite/failure.rs` and
    /// `sql/mysql/failure.rs`.
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Io(_)
            | sqlx::Error::WorkerCrashed => Self::away(error),
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::ColumnIndexOutOfBounds { .. } => Self::Corrupt(error.to_string()),
            _ => Self::Database(error.to_string()),
        }
    }
}

/// Results of store operations.
pub type Result<T> = std::result::Result<T, Error>;
