//! Where the SQL of one database differs from another's. MySQL's forms are valid on MariaDB 10.11 and on MySQL 8.

use std::fmt::Write as _;

use super::{Value, args, placeholders};

/// Which SQL a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    MySql,
}

/// A column of a table of values.
#[derive(Clone, Copy)]
pub(crate) enum Column {
    Int(&'static str),
    /// At most 255 characters.
    Text(&'static str),
}

impl Column {
    fn name(self) -> &'static str {
        match self {
            Self::Int(name) | Self::Text(name) => name,
        }
    }
}

/// Ranges of entries from this length on are not looked up one by one.
const LONG_RANGE: i64 = 1024;

impl Dialect {
    /// The head of a SELECT that joins with a table of values named `v`, and the arguments for it.
    pub(crate) fn with_values<'a>(
        self,
        columns: &[Column],
        cells: Vec<Value<'a>>,
    ) -> (String, Vec<Value<'a>>) {
        match self {
            Self::Sqlite => {
                let names: Vec<_> = columns.iter().map(|c| c.name()).collect();
                let rows = cells.len() / columns.len();
                let head = format!(
                    "WITH v({}) AS (VALUES {})",
                    names.join(","),
                    placeholders(rows, columns.len())
                );
                (head, cells)
            }
            Self::MySql => (
                format!("WITH v AS ({})", json_rows(columns)),
                vec![Value::Text(json(columns.len(), &cells).into())],
            ),
        }
    }

    /// For `(conversation, first, last)`: the head of a SELECT, its `FROM` up to `entries e` with the rows in between, and
    /// the arguments.
    pub(crate) fn with_ranges<'a>(
        self,
        ranges: &[(&'a str, i64, i64)],
    ) -> (String, &'static str, Vec<Value<'a>>) {
        const RANGE: &[Column] = &[
            Column::Text("conversation"),
            Column::Int("first"),
            Column::Int("upto"),
        ];
        let mut cells = Vec::with_capacity(ranges.len() * 3);
        for &(conversation, first, upto) in ranges {
            cells.extend(args![conversation, first, upto]);
        }
        let (head, mut values) = self.with_values(RANGE, cells);
        let between = "v JOIN entries e ON e.conversation = v.conversation AND e.seq BETWEEN v.first AND v.upto";
        let lengths = ranges
            .iter()
            .map(|(_, first, upto)| upto.saturating_sub(*first));
        let longest = lengths.max().unwrap_or(0);
        match self {
            Self::MySql if longest < LONG_RANGE => {
                // A join by BETWEEN would read the conversation's whole index: each place is looked up instead.
                let steps = (0..=longest).map(Value::Int).collect::<Vec<_>>();
                values.push(Value::Text(json(1, &steps).into()));
                let head = format!("{head}, n AS ({})", json_rows(&[Column::Int("step")]));
                let places = "v STRAIGHT_JOIN n ON n.step <= v.upto - v.first \
                              STRAIGHT_JOIN entries e ON e.conversation = v.conversation AND e.seq = v.first + n.step";
                (head, places, values)
            }
            Self::Sqlite | Self::MySql => (head, between, values),
        }
    }

    /// An UPDATE of the rows of `table` that have a match in a table of values named `v`, in its order. `on` finds them
    /// by their key, `also` is what must hold besides; `sets` are columns and what they become.
    pub(crate) fn update_from_values<'a>(
        self,
        table: &str,
        columns: &[Column],
        cells: Vec<Value<'a>>,
        (on, also): (&str, &str),
        sets: &[(&str, &str)],
    ) -> (String, Vec<Value<'a>>) {
        let sets = |prefix: &str| {
            let sets: Vec<_> = sets
                .iter()
                .map(|(c, to)| format!("{prefix}{c} = {to}"))
                .collect();
            sets.join(", ")
        };
        match self {
            Self::Sqlite => {
                let (head, cells) = self.with_values(columns, cells);
                let sets = sets("");
                (
                    format!("{head} UPDATE {table} SET {sets} FROM v WHERE {on} AND {also}"),
                    cells,
                )
            }
            // The values lead, so that rows are found by key and locked in the order of the values, no others.
            Self::MySql => (
                format!(
                    "UPDATE ({}) v STRAIGHT_JOIN {table} ON {on} SET {} WHERE {also}",
                    json_rows(columns),
                    sets(&format!("{table}."))
                ),
                vec![Value::Text(json(columns.len(), &cells).into())],
            ),
        }
    }

    /// The tail of an INSERT that, where the key exists, overwrites the named columns. The table has no other key.
    pub(crate) fn on_conflict_overwrite(self, key: &str, columns: &[&str]) -> String {
        let sets = |to: fn(&str) -> String| {
            let sets: Vec<_> = columns.iter().map(|c| to(c)).collect();
            sets.join(",")
        };
        match self {
            Self::Sqlite => format!(
                " ON CONFLICT({key}) DO UPDATE SET {}",
                sets(|c| format!("{c}=excluded.{c}"))
            ),
            Self::MySql => format!(
                " ON DUPLICATE KEY UPDATE {}",
                sets(|c| format!("{c}=VALUES({c})"))
            ),
        }
    }

    /// The tail of an INSERT that keeps the row that is there. The table has no other key. How many rows such a statement
    /// reports differs: do not rely on it.
    pub(crate) fn on_conflict_keep(self, key: &str) -> String {
        match self {
            Self::Sqlite => format!(" ON CONFLICT({key}) DO NOTHING"),
            // Not INSERT IGNORE, which would swallow other failures too.
            Self::MySql => {
                let first = key.split(',').next().unwrap_or(key);
                format!(" ON DUPLICATE KEY UPDATE {first} = {first}")
            }
        }
    }

    /// The tail of a SELECT that locks the rows it reads until the transaction ends. SQLite's writer is alone anyway.
    pub(crate) fn for_update(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::MySql => " FOR UPDATE",
        }
    }

    /// As [`Self::for_update`], but leaves rows out that others have locked.
    pub(crate) fn for_update_skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::MySql => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// Behind a table's name: rows are found by the primary key, so that a locking read of a few keys never scans (and
    /// locks) a small table.
    pub(crate) fn by_primary_key(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::MySql => " FORCE INDEX (PRIMARY)",
        }
    }

    /// Now by the database's clock, milliseconds since the Unix epoch.
    pub(crate) fn now_ms(self) -> &'static str {
        match self {
            Self::Sqlite => "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
            // The session's time zone is UTC, so that no hour comes twice.
            Self::MySql => "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)",
        }
    }

    /// The conversation's key of the group whose id is in `column`.
    pub(crate) fn group_key(self, column: &str) -> String {
        match self {
            Self::Sqlite => format!("'g:' || {column}"),
            Self::MySql => format!("CAST(CONCAT('g:', {column}) AS BINARY)"),
        }
    }

    /// The group's id in the conversation's key in `column`.
    pub(crate) fn group_id_of(self, column: &str) -> String {
        let integer = match self {
            Self::Sqlite => "INTEGER",
            Self::MySql => "SIGNED",
        };
        format!("CAST(SUBSTR({column}, 3) AS {integer})")
    }
}

/// Rows from one JSON argument. Measured on MariaDB 10.11 as fast as VALUES and faster than a UNION; typed, valid on
/// MySQL 8 too, and one text for any number of rows.
fn json_rows(columns: &[Column]) -> String {
    let columns: Vec<_> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let kind = match column {
                Column::Int(_) => "BIGINT",
                Column::Text(_) => "VARCHAR(255)",
            };
            format!("{} {kind} PATH '$[{at}]'", column.name())
        })
        .collect();
    format!(
        "SELECT * FROM JSON_TABLE(?, '$[*]' COLUMNS({})) j",
        columns.join(", ")
    )
}

/// `[[1,"a"],[2,"b"]]`
fn json(width: usize, cells: &[Value<'_>]) -> String {
    let mut text = String::with_capacity(cells.len() * 12);
    text.push('[');
    for (at, cell) in cells.iter().enumerate() {
        text.push_str(match (at, at % width) {
            (0, _) => "[",
            (_, 0) => "],[",
            _ => ",",
        });
        let _ = match cell {
            Value::Int(v) | Value::OptInt(Some(v)) => write!(text, "{v}"),
            Value::Text(v) | Value::OptText(Some(v)) => {
                write!(text, "{}", serde_json::Value::from(v.as_ref()))
            }
            // Bytes stand in no table of values.
            Value::OptInt(None) | Value::OptText(None) | Value::Bytes(_) => write!(text, "null"),
        };
    }
    text.push_str(if cells.is_empty() { "]" } else { "]]" });
    text
}

#[cfg(test)]
mod tests;
