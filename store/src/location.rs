//! Where the data is, and what was found there.

use std::path::PathBuf;

use crate::sql::mysql::MySqlOptions;

/// Where the data is.
#[derive(Clone, Debug)]
pub enum Location {
    /// A SQLite file; it and its folder's write-ahead log are made when missing.
    Sqlite(PathBuf),
    /// A database on a MariaDB (10.11 or newer) or MySQL (8.0.19 or newer) server. [`crate::Store::migrate`] makes its schema.
    MySql(MySqlOptions),
}

/// What a commit is worth, as it was read back from the database when it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Durability {
    /// The database and the settings that decide, in one line for the log and for health checks.
    pub summary: String,
    /// Whether a commit is on the disk when it returns, also when the machine loses its power.
    pub safe: bool,
}

/// What [`crate::Store::migrate`] found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migrated {
    /// The migrations that were applied by this call.
    pub applied: Vec<i64>,
    /// The newest migration of the database where this build does not know it: the schema is newer, and suits.
    pub newer: Option<i64>,
}
