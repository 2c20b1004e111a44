//! The one place that talks to a database driver: values in, rows out, the same for every dialect.
//!
//! Queries are written once, with `?` for every value; what must differ is in [`dialect`].

pub(crate) mod dialect;
pub(crate) mod sqlite;

use std::borrow::Cow;

use futures_util::TryStreamExt;
use sqlx::pool::PoolConnection;
use sqlx::{Row as _, Sqlite, SqliteConnection, Transaction};

use crate::error::{Error, Result};

/// A value bound to a `?`.
#[derive(Clone, Debug)]
pub(crate) enum Value<'a> {
    Int(i64),
    OptInt(Option<i64>),
    Text(Cow<'a, str>),
    OptText(Option<Cow<'a, str>>),
}

macro_rules! from_value {
    ($($from:ty => $make:expr;)*) => {
        $(impl<'a> From<$from> for Value<'a> {
            fn from(value: $from) -> Self { let make: fn($from) -> Value<'a> = $make; make(value) }
        })*
    };
}

from_value! {
    i64 => Value::Int;
    u16 => |v| Value::Int(i64::from(v));
    u32 => |v| Value::Int(i64::from(v));
    usize => |v| Value::Int(i64::try_from(v).unwrap_or(i64::MAX));
    bool => |v| Value::Int(i64::from(v));
    Option<i64> => Value::OptInt;
    &'a str => |v| Value::Text(Cow::Borrowed(v));
    &'a String => |v| Value::Text(Cow::Borrowed(v.as_str()));
    String => |v| Value::Text(Cow::Owned(v));
    Option<&'a str> => |v| Value::OptText(v.map(Cow::Borrowed));
    Option<String> => |v| Value::OptText(v.map(Cow::Owned));
}

/// `args![a, b, …]`: the values of a query in order.
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::sql::Value::from($value)),*] };
}
pub(crate) use args;

/// One row of a result; columns by index.
pub(crate) struct Row(sqlx::sqlite::SqliteRow);

impl Row {
    pub(crate) fn int(&self, column: usize) -> Result<i64> {
        Ok(self.0.try_get(column)?)
    }
    pub(crate) fn opt_int(&self, column: usize) -> Result<Option<i64>> {
        Ok(self.0.try_get(column)?)
    }
    pub(crate) fn text(&self, column: usize) -> Result<String> {
        Ok(self.0.try_get(column)?)
    }
    pub(crate) fn opt_text(&self, column: usize) -> Result<Option<String>> {
        Ok(self.0.try_get(column)?)
    }
}

/// A connection: a pooled one for reading, or the writer inside a transaction. Dropped without
/// [`Conn::commit`], a transaction rolls back.
pub(crate) enum Conn {
    SqliteReader(PoolConnection<Sqlite>),
    SqliteTx(Transaction<'static, Sqlite>),
}

impl Conn {
    fn sqlite(&mut self) -> &mut SqliteConnection {
        match self {
            Self::SqliteReader(conn) => conn,
            Self::SqliteTx(tx) => tx,
        }
    }

    /// All rows of a query.
    pub(crate) async fn fetch(
        &mut self,
        sql: impl Into<Cow<'static, str>>,
        args: Vec<Value<'_>>,
    ) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        let query = sqlite::query(sql.into(), args)?;
        let mut stream = query.fetch(self.sqlite());
        while let Some(row) = stream.try_next().await? {
            rows.push(Row(row));
        }
        Ok(rows)
    }

    /// The first row of a query, if any.
    pub(crate) async fn fetch_one(
        &mut self,
        sql: impl Into<Cow<'static, str>>,
        args: Vec<Value<'_>>,
    ) -> Result<Option<Row>> {
        Ok(self.fetch(sql, args).await?.into_iter().next())
    }

    /// Runs a statement; answers how many rows it found.
    pub(crate) async fn execute(
        &mut self,
        sql: impl Into<Cow<'static, str>>,
        args: Vec<Value<'_>>,
    ) -> Result<u64> {
        let done = sqlite::query(sql.into(), args)?
            .execute(self.sqlite())
            .await?;
        Ok(done.rows_affected())
    }

    /// Runs an INSERT into a table that numbers its rows; answers the new number.
    pub(crate) async fn insert(
        &mut self,
        sql: impl Into<Cow<'static, str>>,
        args: Vec<Value<'_>>,
    ) -> Result<i64> {
        let done = sqlite::query(sql.into(), args)?
            .execute(self.sqlite())
            .await?;
        Ok(done.last_insert_rowid())
    }

    /// Commits a transaction: when this returns, the rows are on the disk.
    pub(crate) async fn commit(self) -> Result<()> {
        match self {
            Self::SqliteTx(tx) => Ok(tx.commit().await?),
            Self::SqliteReader(_) => Err(Error::Database("a reader has nothing to commit".into())),
        }
    }
}

/// Rows a multi-row statement may have: few sizes, so that few texts are prepared.
const CHUNKS: [usize; 4] = [128, 32, 8, 1];

/// Cuts `items` into pieces of the sizes that statements are prepared for.
pub(crate) fn chunks<T>(mut items: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = CHUNKS.into_iter().find(|&size| size <= items.len())?;
        let (piece, rest) = items.split_at(size);
        items = rest;
        Some(piece)
    })
}

/// `(?,?),(?,?)`: placeholders for `rows` rows of `columns` values.
pub(crate) fn placeholders(rows: usize, columns: usize) -> String {
    let one = format!("({})", vec!["?"; columns].join(","));
    vec![one; rows].join(",")
}

/// `?,?,?`
pub(crate) fn list(count: usize) -> String {
    vec!["?"; count].join(",")
}
