//! What a statement brings back.

use serde_json::Value as Json;

use super::mysql;
use super::sqlite::Packed;
use crate::error::{Error, Result};

/// One row of a result; columns by index.
pub(crate) enum Row {
    Sqlite(sqlx::sqlite::SqliteRow),
    MySql(sqlx::mysql::MySqlRow),
    /// One of those that SQLite has put together.
    Packed(Packed),
}

impl Row {
    pub(crate) fn int(&self, column: usize) -> Result<i64> {
        self.opt_int(column)?
            .ok_or_else(|| Error::Corrupt(format!("column {column} is NULL")))
    }
    pub(crate) fn opt_int(&self, column: usize) -> Result<Option<i64>> {
        match self {
            Self::Sqlite(row) => Ok(sqlx::Row::try_get(row, column)?),
            Self::MySql(row) => mysql::row::int(row, column),
            Self::Packed(row) => row.cell(column, Json::as_i64),
        }
    }
    pub(crate) fn text(&self, column: usize) -> Result<String> {
        self.opt_text(column)?
            .ok_or_else(|| Error::Corrupt(format!("column {column} is NULL")))
    }
    pub(crate) fn bytes(&self, column: usize) -> Result<Vec<u8>> {
        self.opt_bytes(column)?
            .ok_or_else(|| Error::Corrupt(format!("column {column} is NULL")))
    }
    pub(crate) fn opt_bytes(&self, column: usize) -> Result<Option<Vec<u8>>> {
        match self {
            Self::Sqlite(row) => Ok(sqlx::Row::try_get(row, column)?),
            Self::MySql(row) => Ok(sqlx::Row::try_get_unchecked(row, column)?),
            Self::Packed(row) => Ok(row.bytes(column)?.map(<[u8]>::to_vec)),
        }
    }
    pub(crate) fn opt_text(&self, column: usize) -> Result<Option<String>> {
        match self {
            Self::Sqlite(row) => Ok(sqlx::Row::try_get(row, column)?),
            Self::MySql(row) => mysql::row::text(row, column),
            Self::Packed(row) => row.cell(column, |cell| cell.as_str().map(str::to_owned)),
        }
    }
}

/// What a statement did.
pub(crate) struct Done {
    pub(super) found: u64,
    pub(super) number: i64,
}
