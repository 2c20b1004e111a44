//! Many small rows as one.
//!
//! The driver hands each row over by itself, from the connection's thread, and wakes who waits for it: that takes longer than
//! SQLite needs to find it. So SQLite puts the rows together, numbers and texts as JSON, and the bytes one behind the other.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::error::{Error, Result};

/// What the rows of a query are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// So many numbers and texts.
    Plain(usize),
    /// So many numbers and texts, and behind them one of bytes.
    AndBytes(usize),
}

/// One of the rows that came together.
pub(crate) struct Packed {
    cells: Vec<Json>,
    /// The bytes of all rows, and where this one's are; `None` for NULL, and where no column has bytes.
    bytes: Option<(Arc<Vec<u8>>, Range<usize>)>,
}

impl Packed {
    /// A number or a text; `None` for NULL.
    pub(crate) fn cell<'r, T>(
        &'r self,
        column: usize,
        read: impl FnOnce(&'r Json) -> Option<T>,
    ) -> Result<Option<T>> {
        let wrong = || Error::Corrupt(format!("column {column} is of another type"));
        match self.cells.get(column).ok_or_else(wrong)? {
            Json::Null => Ok(None),
            cell => read(cell).map(Some).ok_or_else(wrong),
        }
    }

    /// What is in the column of bytes, the last one; `None` for NULL.
    pub(crate) fn bytes(&self, column: usize) -> Result<Option<&[u8]>> {
        if column + 1 != self.cells.len() {
            return Err(Error::Corrupt(format!("column {column} has no bytes")));
        }
        let bytes = self.bytes.as_ref();
        Ok(bytes.and_then(|(all, range)| all.get(range.clone())))
    }
}

/// The query whose one row [`unpack`] takes apart. Aggregates of this kind keep the order of what they read.
pub(super) fn pack(sql: &str, shape: Shape) -> String {
    let (Shape::Plain(plain) | Shape::AndBytes(plain)) = shape;
    let mut names: Vec<String> = (0..plain).map(|number| format!("c{number}")).collect();
    let cells = names.join(", ");
    match shape {
        Shape::Plain(_) => {
            format!(
                "WITH t({cells}) AS ({sql}) SELECT json_group_array(json_array({cells})) FROM t"
            )
        }
        Shape::AndBytes(_) => {
            names.push("bytes".into());
            // A cast changes no byte.
            format!(
                "WITH t({}) AS ({sql}) SELECT json_group_array(json_array({cells}, LENGTH(bytes))), \
                 CAST(GROUP_CONCAT(CAST(bytes AS TEXT), '') AS BLOB) FROM t",
                names.join(", ")
            )
        }
    }
}

/// The rows of what [`pack`] has asked for.
pub(super) fn unpack(rows: &str, bytes: Option<Vec<u8>>, shape: Shape) -> Result<Vec<Packed>> {
    let corrupt = || Error::Database("rows that were put together cannot be read".into());
    let rows: Vec<Vec<Json>> = serde_json::from_str(rows).map_err(|_| corrupt())?;
    let Shape::AndBytes(plain) = shape else {
        let rows = rows.into_iter();
        return Ok(rows.map(|cells| Packed { cells, bytes: None }).collect());
    };
    let all = Arc::new(bytes.unwrap_or_default());
    let mut end = 0;
    rows.into_iter()
        .map(|cells| {
            let length = cells.get(plain).ok_or_else(corrupt)?;
            let bytes = match length.as_u64() {
                None => None,
                Some(length) => {
                    let from = end;
                    end += usize::try_from(length).map_err(|_| corrupt())?;
                    Some((Arc::clone(&all), from..end))
                }
            };
            if end > all.len() {
                return Err(corrupt());
            }
            Ok(Packed { cells, bytes })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Location;
    use crate::sql::{Database, Row, args};

    async fn rows(sql: &str, shape: Shape) -> Result<Vec<Row>> {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::Sqlite(folder.path().join("x.db"));
        let database = Database::open(&location).await.unwrap();
        let mut conn = database
            .reader(std::time::Duration::from_secs(10))
            .await
            .unwrap();
        conn.fetch_together(sql.into(), shape, args![7_i64]).await
    }

    #[tokio::test]
    async fn rows_keep_their_order_and_what_is_in_them() {
        let sql = "SELECT n, t FROM (SELECT 1 AS n, 'quote \" line \n nul ' || char(0) || ' 灵犀 😀' AS t \
                   UNION ALL SELECT NULL, NULL UNION ALL SELECT 9223372036854775807, '' UNION ALL SELECT ?, '{}') \
                   ORDER BY n DESC LIMIT 9";
        let rows = rows(sql, Shape::Plain(2)).await.unwrap();
        let read: Vec<_> = rows
            .iter()
            .map(|row| (row.opt_int(0).unwrap(), row.opt_text(1).unwrap()))
            .collect();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            read,
            [
                (Some(i64::MAX), text("")),
                (Some(7), text("{}")),
                (Some(1), text("quote \" line \n nul \0 灵犀 😀")),
                (None, None),
            ]
        );
        assert!(rows[0].int(1).is_err() && rows[0].text(0).is_err() && rows[0].int(2).is_err());
    }

    #[tokio::test]
    async fn bytes_are_those_of_their_rows() {
        let sql = "SELECT * FROM (VALUES (1, x'00ff00'), (2, NULL), (3, x''), (?, x'80'))";
        let rows = rows(sql, Shape::AndBytes(1)).await.unwrap();
        let read: Vec<_> = rows
            .iter()
            .map(|row| (row.int(0).unwrap(), row.opt_bytes(1).unwrap()))
            .collect();
        assert_eq!(
            read,
            [
                (1, Some(vec![0, 0xff, 0])),
                (2, None),
                (3, Some(vec![])),
                (7, Some(vec![0x80])),
            ]
        );
        assert!(rows[0].opt_bytes(0).is_err());
    }

    #[tokio::test]
    async fn no_rows_are_none() {
        for shape in [Shape::Plain(2), Shape::AndBytes(1)] {
            let sql = "SELECT 1, x'00' WHERE ? = 0";
            assert!(rows(sql, shape).await.unwrap().is_empty(), "{shape:?}");
        }
    }

    #[tokio::test]
    async fn connections_have_page_caches_of_their_own() {
        let options = rows(
            "SELECT compile_options FROM pragma_compile_options WHERE ? = 7",
            Shape::Plain(1),
        );
        let options: Vec<String> = options
            .await
            .unwrap()
            .iter()
            .map(|row| row.text(0).unwrap())
            .collect();
        assert!(
            !options.iter().any(|one| one == "ENABLE_MEMORY_MANAGEMENT"),
            "{options:?}"
        );
        assert!(
            options.iter().any(|one| one == "DEFAULT_MEMSTATUS=0"),
            "{options:?}"
        );
    }
}
